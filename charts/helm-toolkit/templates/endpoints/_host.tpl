{{/*
The short host name of an endpoint, as clients in its own namespace say it.
Every class that .Values.endpoints.TYPE.hosts does not name has the default's.

  tuple "cache" "internal" . | include "helm-toolkit.endpoints.host"
*/}}
{{- define "helm-toolkit.endpoints.host" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $context := index . 2 -}}
{{- $hosts := (index $context.Values.endpoints $type).hosts -}}
{{- index $hosts $class | default $hosts.default -}}
{{- end -}}
