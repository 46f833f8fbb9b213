{{/*
The scheme of an endpoint's URI; http where nothing else is said.

  tuple "guestbook" "public" . | include "helm-toolkit.endpoints.scheme"
*/}}
{{- define "helm-toolkit.endpoints.scheme" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $context := index . 2 -}}
{{- $schemes := (index $context.Values.endpoints $type).scheme | default dict -}}
{{- index $schemes $class | default $schemes.default | default "http" -}}
{{- end -}}
