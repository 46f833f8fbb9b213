{{/*
A Deployment's strategy and how many old revisions it keeps, from
pod.lifecycle.

  include "helm-toolkit.snippets.rolling_update" . | indent 2
*/}}
{{- define "helm-toolkit.snippets.rolling_update" -}}
{{- $lifecycle := .Values.pod.lifecycle | default dict -}}
revisionHistoryLimit: {{ $lifecycle.revision_history | default 3 }}
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxUnavailable: {{ $lifecycle.max_unavailable | default 1 }}
    maxSurge: {{ $lifecycle.max_surge | default 1 }}
{{- end -}}
