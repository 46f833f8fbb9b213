{{/*
The full host name of an endpoint: host_fqdn_override's, when it has one for the
class, else that of a service in the release's namespace.

  tuple "guestbook" "public" . | include "helm-toolkit.endpoints.fqdn"
*/}}
{{- define "helm-toolkit.endpoints.fqdn" -}}
{{- $type := index . 0 -}}
{{- $class := index . 1 -}}
{{- $context := index . 2 -}}
{{- $endpoint := index $context.Values.endpoints $type -}}
{{- $override := index ($endpoint.host_fqdn_override | default dict) $class -}}
{{- if $override -}}
{{- $override -}}
{{- else -}}
{{- $suffix := $context.Values.endpoints.cluster_domain_suffix | default "cluster.local" -}}
{{- $host := tuple $type $class $context | include "helm-toolkit.endpoints.host" -}}
{{- printf "%s.%s.svc.%s" $host $context.Release.Namespace $suffix -}}
{{- end -}}
{{- end -}}
