{{/*
The securityContext of a pod or of a container, from
pod.security_context.COMPONENT.pod and .container; nothing when not set.

  tuple "api" "container" . | include "helm-toolkit.snippets.security_context" | indent 10
*/}}
{{- define "helm-toolkit.snippets.security_context" -}}
{{- $component := index . 0 -}}
{{- $of := index . 1 -}}
{{- $context := index . 2 -}}
{{- $settings := index $context.Values.pod.security_context $component | default dict -}}
{{- with index $settings $of -}}
securityContext:
{{ toYaml . | trim | indent 2 }}
{{- end -}}
{{- end -}}
