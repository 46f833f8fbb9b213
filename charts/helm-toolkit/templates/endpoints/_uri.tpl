{{/*
The URI of an endpoint. A port that its scheme implies is left out.

  tuple "guestbook" "public" "api" . | include "helm-toolkit.endpoints.uri"
*/}}
{{- define "helm-toolkit.endpoints.uri" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $name := index . 2 -}}
{{- $context := index . 3 -}}
{{- $scheme := tuple $type $class $context | include "helm-toolkit.endpoints.scheme" -}}
{{- $host := tuple $type $class $context | include "helm-toolkit.endpoints.fqdn" -}}
{{- $port := tuple $type $class $name $context | include "helm-toolkit.endpoints.port" -}}
{{- $path := tuple $type $class $context | include "helm-toolkit.endpoints.path" -}}
{{- $implied := dict "http" "80" "https" "443" -}}
{{- if eq $port (index $implied $scheme | default "") -}}
{{- printf "%s://%s%s" $scheme $host $path -}}
{{- else -}}
{{- printf "%s://%s:%s%s" $scheme $host $port $path -}}
{{- end -}}
{{- end -}}
