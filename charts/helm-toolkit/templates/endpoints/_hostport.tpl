{{/*
HOST:PORT of an endpoint, the host in full.

  tuple "cache" "internal" "memcache" . | include "helm-toolkit.endpoints.hostport"
*/}}
{{- define "helm-toolkit.endpoints.hostport" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $name := index . 2 -}}
{{- $context := index . 3 -}}
{{- $host := tuple $type $class $context | include "helm-toolkit.endpoints.fqdn" -}}
{{- $port := tuple $type $class $name $context | include "helm-toolkit.endpoints.port" -}}
{{- printf "%s:%s" $host $port -}}
{{- end -}}
