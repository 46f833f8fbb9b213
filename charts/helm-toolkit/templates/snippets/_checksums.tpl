{{/*
Annotations that restart a pod when what other templates make has changed.

  tuple (list "configmap-bin.yaml" "configmap-etc.yaml") . | include "helm-toolkit.snippets.checksums" | indent 8
*/}}
{{- define "helm-toolkit.snippets.checksums" -}}
{{- $names := index . 0 -}}
{{- $context := index . 1 -}}
{{- range $i, $name := $names }}
{{- if $i }}
{{ end -}}
checksum/{{ $name | trimSuffix ".yaml" }}: {{ tuple $name $context | include "helm-toolkit.utils.hash" }}
{{- end }}
{{- end -}}
