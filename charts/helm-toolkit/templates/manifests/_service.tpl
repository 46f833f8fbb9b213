{{/*
A Service before the pods of a component, named as the endpoint says. The pods'
containers name their ports as the endpoint does.

  dict "envAll" . "component" "api" "endpoint" "guestbook" | include "helm-toolkit.manifests.service"
*/}}
{{- define "helm-toolkit.manifests.service" -}}
{{- $envAll := .envAll -}}
{{- $endpoint := .endpoint -}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ tuple $endpoint "internal" $envAll | include "helm-toolkit.endpoints.host" }}
  labels:
{{ tuple .component $envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
spec:
  ports:
{{- range $name, $classes := (index $envAll.Values.endpoints $endpoint).port }}
    - name: {{ $name }}
      port: {{ tuple $endpoint "internal" $name $envAll | include "helm-toolkit.endpoints.port" }}
      targetPort: {{ $name }}
{{- end }}
  selector:
{{ tuple .component $envAll | include "helm-toolkit.snippets.selector" | indent 4 }}
{{- end -}}
