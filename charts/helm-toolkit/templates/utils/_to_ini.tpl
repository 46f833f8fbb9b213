{{/*
A map of maps as an INI file: sections and keys sorted, lists joined by commas,
keys without a value left out.

  include "helm-toolkit.utils.to_ini" .Values.conf.guestbook
*/}}
{{- define "helm-toolkit.utils.to_ini" -}}
{{- range $section, $settings := . }}
[{{ $section }}]
{{- range $key, $value := $settings }}
{{- if kindIs "slice" $value }}
{{ $key }} = {{ include "helm-toolkit.utils.join" $value }}
{{- else if not (kindIs "invalid" $value) }}
{{ $key }} = {{ include "helm-toolkit.utils.scalar" $value }}
{{- end }}
{{- end }}
{{ end -}}
{{- end -}}
