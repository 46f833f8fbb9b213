{{/*
The items of a list, joined by commas.

  include "helm-toolkit.utils.join" (list "a" "b")
*/}}
{{- define "helm-toolkit.utils.join" -}}
{{- range $i, $item := . -}}
{{- if $i -}},{{- end -}}
{{- include "helm-toolkit.utils.scalar" $item -}}
{{- end -}}
{{- end -}}
