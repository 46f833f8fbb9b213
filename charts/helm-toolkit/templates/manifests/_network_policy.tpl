{{/*
A NetworkPolicy that lets clients reach the named ports of a component, and
nothing else. From whom is network_policy.COMPONENT.from; empty is everybody.

  dict "envAll" . "component" "api" "ports" (list "api") | include "helm-toolkit.manifests.network_policy"
*/}}
{{- define "helm-toolkit.manifests.network_policy" -}}
{{- $policy := index (.envAll.Values.network_policy | default dict) .component | default dict -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ tuple .component .envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple .component .envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
spec:
  podSelector:
    matchLabels:
{{ tuple .component .envAll | include "helm-toolkit.snippets.selector" | indent 6 }}
  policyTypes:
    - Ingress
  ingress:
    - ports:
{{- range .ports }}
        - port: {{ . }}
          protocol: TCP
{{- end }}
{{- with $policy.from }}
      from:
{{ toYaml . | trim | indent 8 }}
{{- end }}
{{- end -}}
