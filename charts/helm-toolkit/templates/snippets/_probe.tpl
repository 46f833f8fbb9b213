{{/*
A probe: what to ask is the caller's, when and how often is the values', under
pod.probes.COMPONENT.TYPE; enabled: false leaves the probe out.

  dict "envAll" . "component" "api" "type" "readiness" "ask" (dict "tcpSocket" (dict "port" "api")) | include "helm-toolkit.snippets.probe" | indent 10
*/}}
{{- define "helm-toolkit.snippets.probe" -}}
{{- $probes := index .envAll.Values.pod.probes .component | default dict -}}
{{- $probe := index $probes .type | default dict -}}
{{- if $probe.enabled -}}
{{ .type }}Probe:
{{ toYaml .ask | trim | indent 2 }}
{{- with $probe.params }}
{{ toYaml . | trim | indent 2 }}
{{- end }}
{{- end -}}
{{- end -}}
