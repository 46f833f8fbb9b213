{{/*
Keeps the pods of a component on different nodes, from pod.anti_affinity: weight
(1 to 100, a wish) or required (a must).

  tuple "api" . | include "helm-toolkit.snippets.anti_affinity" | indent 6
*/}}
{{- define "helm-toolkit.snippets.anti_affinity" -}}
{{- $context := index . 1 -}}
{{- $rule := $context.Values.pod.anti_affinity -}}
affinity:
  podAntiAffinity:
{{- if $rule.required }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: {{ $rule.topology_key | default "kubernetes.io/hostname" }}
        labelSelector:
          matchLabels:
{{ include "helm-toolkit.snippets.selector" . | indent 12 }}
{{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: {{ $rule.weight | default 10 }}
        podAffinityTerm:
          topologyKey: {{ $rule.topology_key | default "kubernetes.io/hostname" }}
          labelSelector:
            matchLabels:
{{ include "helm-toolkit.snippets.selector" . | indent 14 }}
{{- end }}
{{- end -}}
