{{/*
A ConfigMap of INI files: from the file name in the container to the settings.

  dict "envAll" . "files" (dict "guestbook.ini" .Values.conf.guestbook) | include "helm-toolkit.manifests.configmap_etc"
*/}}
{{- define "helm-toolkit.manifests.configmap_etc" -}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ tuple "etc" .envAll | include "helm-toolkit.utils.name" }}
  labels:
{{ tuple "etc" .envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
data:
{{- range $name, $settings := .files }}
  {{ $name }}: |
{{ include "helm-toolkit.utils.to_ini" $settings | trim | indent 4 }}
{{- end }}
{{- end -}}
