{{/*
An Ingress from an endpoint's public name to its service. A secret under
network.ingress.tls_secret turns TLS on.

  dict "envAll" . "component" "api" "endpoint" "guestbook" "port" "api" | include "helm-toolkit.manifests.ingress"
*/}}
{{- define "helm-toolkit.manifests.ingress" -}}
{{- $envAll := .envAll -}}
{{- $ingress := $envAll.Values.network.ingress -}}
{{- $host := tuple .endpoint "public" $envAll | include "helm-toolkit.endpoints.fqdn" -}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ tuple .component $envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple .component $envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
{{- with $ingress.annotations }}
  annotations:
{{ toYaml . | trim | indent 4 }}
{{- end }}
spec:
{{- with $ingress.class }}
  ingressClassName: {{ . }}
{{- end }}
{{- with $ingress.tls_secret }}
  tls:
    - secretName: {{ . }}
      hosts:
        - {{ $host }}
{{- end }}
  rules:
    - host: {{ $host }}
      http:
        paths:
          - path: {{ tuple .endpoint "public" $envAll | include "helm-toolkit.endpoints.path" }}
            pathType: Prefix
            backend:
              service:
                name: {{ tuple .endpoint "internal" $envAll | include "helm-toolkit.endpoints.host" }}
                port:
                  name: {{ .port }}
{{- end -}}
