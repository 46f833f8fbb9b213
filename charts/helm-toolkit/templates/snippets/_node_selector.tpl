{{/*
Where a component's pods may run, from labels.COMPONENT: node_selector_key and
node_selector_value; nothing when not set.

  tuple "api" . | include "helm-toolkit.snippets.node_selector" | indent 6
*/}}
{{- define "helm-toolkit.snippets.node_selector" -}}
{{- $component := index . 0 -}}
{{- $context := index . 1 -}}
{{- with index ($context.Values.labels | default dict) $component -}}
nodeSelector:
  {{ .node_selector_key }}: {{ .node_selector_value | quote }}
{{- end -}}
{{- end -}}
