{{/*
The labels of an object: the selector's, and who made it.

  tuple "api" . | include "helm-toolkit.snippets.labels" | indent 4
*/}}
{{- define "helm-toolkit.snippets.labels" -}}
{{- $context := index . 1 -}}
{{ include "helm-toolkit.snippets.selector" . }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}
