{{/*
A Job that runs one script of the chart's bin ConfigMap with a shell, after the
component's dependencies answer.

  dict "envAll" . "component" "first-entry" "script" "first-entry.sh" | include "helm-toolkit.manifests.job_script"

values: images.tags, pod.resources, pod.security_context, dependencies: each has
the component as its key, dashes as underscores.
*/}}
{{- define "helm-toolkit.manifests.job_script" -}}
{{- $envAll := .envAll -}}
{{- $key := .component | replace "-" "_" -}}
{{- $name := tuple .component $envAll | include "helm-toolkit.utils.name" -}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  labels:
{{ tuple .component $envAll | include "helm-toolkit.snippets.labels" | indent 4 }}
  annotations:
    helm.sh/hook: post-install
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 5
  template:
    metadata:
      labels:
{{ tuple .component $envAll | include "helm-toolkit.snippets.selector" | indent 8 }}
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
{{ tuple $key "pod" $envAll | include "helm-toolkit.snippets.security_context" | indent 6 }}
{{ tuple $key $envAll | include "helm-toolkit.snippets.node_selector" | indent 6 }}
{{ tuple $key $envAll | include "helm-toolkit.snippets.wait_for" | indent 6 }}
      containers:
        - name: {{ .component }}
{{ tuple $key $envAll | include "helm-toolkit.snippets.image" | indent 10 }}
{{ tuple $key $envAll | include "helm-toolkit.snippets.resources" | indent 10 }}
{{ tuple $key "container" $envAll | include "helm-toolkit.snippets.security_context" | indent 10 }}
          command:
            - /bin/sh
            - /opt/{{ $envAll.Chart.Name }}/{{ .script }}
          volumeMounts:
            - name: bin
              mountPath: /opt/{{ $envAll.Chart.Name }}
              readOnly: true
      volumes:
        - name: bin
          configMap:
            name: {{ tuple "bin" $envAll | include "helm-toolkit.utils.name" }}
{{- end -}}
