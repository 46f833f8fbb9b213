{{/*
A ConfigMap of scripts: from the file name in the container to the template that
makes it.

  dict "envAll" . "scripts" (dict "guestbook.py" "bin/_guestbook.py.tpl") | include "helm-toolkit.manifests.configmap_bin"
*/}}
{{- define "helm-toolkit.manifests.configmap_bin" -}}
{{- $envAll := .envAll -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ tuple "bin" $envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple "bin" $envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
data:
{{- range $name, $template := .scripts }}
  {{ $name }}: |
{{ tuple $template $envAll | include "helm-toolkit.utils.template" | trim | indent 4 }}
{{- end }}
{{- end -}}
