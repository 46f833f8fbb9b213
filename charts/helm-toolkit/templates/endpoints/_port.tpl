{{/*
The port of an endpoint, by the port's name and the class of the client.

  tuple "guestbook" "public" "api" . | include "helm-toolkit.endpoints.port"
*/}}
{{- define "helm-toolkit.endpoints.port" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $name := index . 2 -}}
{{- $context := index . 3 -}}
{{- $ports := index (index $context.Values.endpoints $type).port $name -}}
{{- index $ports $class | default $ports.default | int -}}
{{- end -}}
