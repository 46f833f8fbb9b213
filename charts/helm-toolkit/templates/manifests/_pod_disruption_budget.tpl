{{/*
A PodDisruptionBudget: how many pods of a component stay while nodes are drained,
from pod.lifecycle.min_available (0 when not set).

  dict "envAll" . "component" "api" | include "helm-toolkit.manifests.pod_disruption_budget"
*/}}
{{- define "helm-toolkit.manifests.pod_disruption_budget" -}}
{{- $lifecycle := .envAll.Values.pod.lifecycle | default dict -}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ tuple .component .envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple .component .envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
spec:
  minAvailable: {{ $lifecycle.min_available | default 0 }}
  selector:
    matchLabels:
{{ tuple .component .envAll | include "helm-toolkit.snippets.selector" | indent 6 }}
{{- end -}}
