{{/*
The name of one of a chart's objects: CHART-COMPONENT, or CHART alone when the
component is empty. At most 63 bytes, which is what a label may have.

  tuple "api" . | include "helm-toolkit.utils.name"
*/}}
{{- define "helm-toolkit.utils.name" -}}
{{- $component := index . 0 -}}
{{- $context := index . 1 -}}
{{- printf "%s-%s" $context.Chart.Name $component | trimSuffix "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}
