{{/*
An init container that waits for the endpoints under dependencies.COMPONENT, each
with type, class and port; nothing when there are none.

  tuple "api" . | include "helm-toolkit.snippets.wait_for" | indent 6
*/}}
{{- define "helm-toolkit.snippets.wait_for" -}}
{{- $component := index . 0 -}}
{{- $context := index . 1 -}}
{{- $needs := index ($context.Values.dependencies | default dict) $component -}}
{{- if $needs -}}
{{- $list := dict "of" list -}}
{{- range $needs -}}
{{- $hostport := tuple .type .class .port $context | include "helm-toolkit.endpoints.hostport" -}}
{{- $_ := set $list "of" (append $list.of $hostport) -}}
{{- end -}}
initContainers:
  - name: wait-for
{{ tuple "wait_for" $context | include "helm-toolkit.snippets.image" | indent 4 }}
{{ tuple $component "container" $context | include "helm-toolkit.snippets.security_context" | indent 4 }}
    command:
      - /bin/sh
      - -c
      - |
{{ include "helm-toolkit.scripts.wait_for" $list.of | indent 8 }}
{{- end -}}
{{- end -}}
