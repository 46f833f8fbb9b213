{{/*
The path of an endpoint's URI, with the slash at its start; / where nothing else
is said.

  tuple "guestbook" "public" . | include "helm-toolkit.endpoints.path"
*/}}
{{- define "helm-toolkit.endpoints.path" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $context := index . 2 -}}
{{- $paths := (index $context.Values.endpoints $type).path | default dict -}}
{{- index $paths $class | default $paths.default | default "/" -}}
{{- end -}}
