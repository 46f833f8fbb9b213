{{/*
A ServiceAccount for a component that never speaks to the Kubernetes API.

  dict "envAll" . "component" "api" | include "helm-toolkit.manifests.service_account"
*/}}
{{- define "helm-toolkit.manifests.service_account" -}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ tuple .component .envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple .component .envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
automountServiceAccountToken: false
{{- end -}}
