{{/*
A shell script that ends when every HOST:PORT of a list takes a connection.

  include "helm-toolkit.scripts.wait_for" (list "cache:11211")
*/}}
{{- define "helm-toolkit.scripts.wait_for" -}}
set -eu
{{ include "helm-toolkit.scripts.retry" . }}
{{- range . }}
{{- $parts := splitList ":" . }}
echo "waiting for {{ . }}"
retry 300 2 nc -z -w 2 {{ first $parts }} {{ last $parts }}
{{- end }}
{{- end -}}
