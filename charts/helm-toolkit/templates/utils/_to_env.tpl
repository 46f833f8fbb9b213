{{/*
A map as a container's env list, sorted by name, every value a string.

  include "helm-toolkit.utils.to_env" .Values.pod.env.api | indent 12
*/}}
{{- define "helm-toolkit.utils.to_env" -}}
{{- $first := true -}}
{{- range $name, $value := . -}}
{{- if not $first }}
{{ end -}}
{{- $first = false -}}
- name: {{ $name }}
  value: {{ include "helm-toolkit.utils.scalar" $value | quote }}
{{- end -}}
{{- end -}}
