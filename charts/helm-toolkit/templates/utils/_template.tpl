{{/*
Another file of the calling chart's templates/, rendered.

  tuple "bin/_guestbook.py.tpl" . | include "helm-toolkit.utils.template"
*/}}
{{- define "helm-toolkit.utils.template" -}}
{{- $name := index . 0 -}}
{{- $context := index . 1 -}}
{{- include (printf "%s/%s" $context.Template.BasePath $name) $context -}}
{{- end -}}
