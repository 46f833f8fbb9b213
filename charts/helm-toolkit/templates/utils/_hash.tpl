{{/*
SHA-256 of another file of the calling chart's templates/, rendered: changes when
what it makes changes.

  tuple "configmap-etc.yaml" . | include "helm-toolkit.utils.hash"
*/}}
{{- define "helm-toolkit.utils.hash" -}}
{{- include "helm-toolkit.utils.template" . | sha256sum -}}
{{- end -}}
