{{/*
The name of every object: the release's, with the chart's unless it is in there. Pods of
a StatefulSet have a label of its name and eleven characters, of 63 at most.
*/}}
{{- define "chartserve.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
The labels that all pods of the release have. They never change: selectors and the
template of the claim can't be changed.
*/}}
{{- define "chartserve.instance" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/*
The labels that find the server's pod, and no pod of a test.
*/}}
{{- define "chartserve.selector" -}}
{{ include "chartserve.instance" . }}
app.kubernetes.io/component: server
{{- end -}}

{{/*
The labels of every object.
*/}}
{{- define "chartserve.labels" -}}
{{ include "chartserve.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "chartserve.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "chartserve.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/*
An image's name, of (dict "image" IMAGE "tag" TAG).
*/}}
{{- define "chartserve.image" -}}
{{- with .image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.tag .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "chartserve.scheme" -}}
{{- if .Values.tls.existingSecret }}https{{ else }}http{{ end -}}
{{- end -}}

{{/*
The path below which the repository is served, without a slash at its end.
*/}}
{{- define "chartserve.path" -}}
{{- printf "/%s" (index .Values.config "context-path" | default "/charts" | trimAll "/") | trimSuffix "/" -}}
{{- end -}}

{{/*
Which files say who may, as a JSON list of keys of a Secret.
*/}}
{{- define "chartserve.accessKeys" -}}
{{- $keys := list -}}
{{- if .Values.access.existingSecret -}}
{{- $keys = .Values.access.keys -}}
{{- else -}}
{{- if .Values.access.htpasswd }}{{ $keys = append $keys "htpasswd" }}{{ end -}}
{{- if .Values.access.tokens }}{{ $keys = append $keys "tokens" }}{{ end -}}
{{- if .Values.access.rules }}{{ $keys = append $keys "access.yaml" }}{{ end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end -}}

{{/*
The flags that follow from the values. An access file names the other two itself.
*/}}
{{- define "chartserve.args" -}}
{{- $keys := include "chartserve.accessKeys" . | fromJsonArray -}}
- serve
- --address=:8879
- --repo-path=/data/charts
{{- if .Values.config }}
- --config=/etc/chartserve/config/chartserve.yaml
{{- end }}
{{- if .Values.tls.existingSecret }}
- --tls-cert=/etc/chartserve/tls/tls.crt
- --tls-key=/etc/chartserve/tls/tls.key
{{- end }}
{{- if .Values.tls.clientCASecret }}
- --client-ca=/etc/chartserve/client-ca/ca.crt
{{- end }}
{{- if has "access.yaml" $keys }}
- --access=/etc/chartserve/access/access.yaml
{{- else }}
{{- if has "htpasswd" $keys }}
- --htpasswd=/etc/chartserve/access/htpasswd
{{- end }}
{{- if has "tokens" $keys }}
- --token-file=/etc/chartserve/access/tokens
{{- end }}
{{- end }}
{{- if .Values.access.anonymousRead }}
- --anonymous-read
{{- end }}
{{- if .Values.metrics.enabled }}
- --metrics-address=:{{ .Values.metrics.port }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- if .Values.gitSync.enabled }}
{{- range .Values.gitSync.paths | default (list "") }}
- {{ printf "/git/current/%s" (trimAll "/" .) | trimSuffix "/" | quote }}
{{- end }}
{{- end }}
{{- with .Values.sources }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
A probe, of (dict "root" . "path" PATH "times" TIMES).
*/}}
{{- define "chartserve.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ include "chartserve.scheme" .root | upper }}
{{- with .times }}
{{ toYaml . }}
{{- end }}
{{- end -}}
