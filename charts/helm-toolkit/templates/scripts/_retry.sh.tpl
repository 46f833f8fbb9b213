{{/*
A shell function: retry TIMES SECONDS COMMAND... runs COMMAND until it succeeds.

  include "helm-toolkit.scripts.retry" .
*/}}
{{- define "helm-toolkit.scripts.retry" -}}
retry() {
  times=$1
  pause=$2
  shift 2
  until "$@"; do
    times=$((times - 1))
    if [ "$times" -le 0 ]; then
      echo "gave up: $*" >&2
      return 1
    fi
    sleep "$pause"
  done
}
{{- end -}}
