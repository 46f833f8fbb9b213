{{/*
A container's image and pull policy, by the key under images.tags. A site without
a network sets images.registry, which replaces the registry in the tag.

  tuple "api" . | include "helm-toolkit.snippets.image" | indent 10
*/}}
{{- define "helm-toolkit.snippets.image" -}}
{{- $key := index . 0 -}}
{{- $context := index . 1 -}}
{{- $images := $context.Values.images -}}
{{- $tag := index $images.tags $key | required (printf "images.tags.%s is not set" $key) -}}
{{- if $images.registry -}}
{{- $tag = printf "%s/%s" $images.registry (splitList "/" $tag | rest | join "/") -}}
{{- end -}}
image: {{ $tag | quote }}
imagePullPolicy: {{ $images.pull_policy | default "IfNotPresent" }}
{{- end -}}
