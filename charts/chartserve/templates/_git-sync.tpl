{{/*
git-sync, which keeps /git/current a link to the newest commit. As an init container that
goes on it has made the link before the server starts.
*/}}
{{- define "chartserve.gitSync" -}}
{{- if semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version }}
{{- fail (printf "gitSync.enabled: needs Kubernetes 1.29 or later, for init containers that go on; this is %s" .Capabilities.KubeVersion.Version) }}
{{- end -}}
{{- with .Values.gitSync -}}
{{- $https := regexMatch "^https?://" .repository -}}
- name: git-sync
  image: {{ include "chartserve.image" (dict "image" .image "tag" "") }}
  imagePullPolicy: {{ .image.pullPolicy }}
  restartPolicy: Always
  args:
    - {{ printf "--repo=%s" .repository | quote }}
    - {{ printf "--ref=%s" .ref | quote }}
    - --depth={{ .depth }}
    - --period={{ .period }}
    - --root=/git
    - --link=current
    - --max-failures=-1
    - --http-bind=:8880
    {{- if and .existingSecret $https }}
    - --password-file=/etc/git-sync/password
    {{- else if .existingSecret }}
    - --ssh-key-file=/etc/git-sync/ssh-privatekey
    - --ssh-known-hosts-file=/etc/git-sync/known_hosts
    {{- end }}
    {{- with .extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if and .existingSecret $https }}
  env:
    - name: GITSYNC_USERNAME
      valueFrom:
        secretKeyRef:
          name: {{ .existingSecret }}
          key: username
  {{- end }}
  ports:
    - name: git-sync
      containerPort: 8880
  startupProbe:
    httpGet:
      path: /
      port: git-sync
    periodSeconds: 2
    failureThreshold: 300
  resources:
    {{- toYaml .resources | nindent 4 }}
  securityContext:
    {{- toYaml .securityContext | nindent 4 }}
  volumeMounts:
    - name: git
      mountPath: /git
    - name: git-tmp
      mountPath: /tmp
    {{- if .existingSecret }}
    - name: git-secret
      mountPath: /etc/git-sync
      readOnly: true
    {{- end }}
    {{- with .extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
