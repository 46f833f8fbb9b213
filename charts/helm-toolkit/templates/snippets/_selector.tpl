{{/*
The labels that find a component's pods. A Deployment's selector can't be changed
later, so nothing belongs here that a new version may change.

  tuple "api" . | include "helm-toolkit.snippets.selector" | indent 6
*/}}
{{- define "helm-toolkit.snippets.selector" -}}
{{- $component := index . 0 -}}
{{- $context := index . 1 -}}
app.kubernetes.io/name: {{ $context.Chart.Name }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ $component }}
{{- end -}}
