{{/* The name, at most 63 characters. */}}
{{- define "bookshelf.name" -}}
{{- .Values.name | default "it's" | trunc 63 | trimSuffix "-" -}}
{{- end }}
Some text: with {braces} and 'quotes".
