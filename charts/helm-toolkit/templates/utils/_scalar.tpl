{{/*
A value as text. Helm reads every number as a float, and a float over a million
would print as 1.048576e+06.

  include "helm-toolkit.utils.scalar" .Values.conf.max_bytes
*/}}
{{- define "helm-toolkit.utils.scalar" -}}
{{- if kindIs "float64" . -}}
{{- toJson . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}
