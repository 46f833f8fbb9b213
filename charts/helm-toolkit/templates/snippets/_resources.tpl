{{/*
A container's resources, from pod.resources.COMPONENT; nothing while
pod.resources.enabled is false.

  tuple "api" . | include "helm-toolkit.snippets.resources" | indent 10
*/}}
{{- define "helm-toolkit.snippets.resources" -}}
{{- $component := index . 0 -}}
{{- $context := index . 1 -}}
{{- $resources := $context.Values.pod.resources -}}
{{- if $resources.enabled -}}
resources:
{{ index $resources $component | toYaml | trim | indent 2 }}
{{- end -}}
{{- end -}}
