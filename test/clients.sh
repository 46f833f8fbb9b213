#!/usr/bin/env bash
# Puts the clients that the end-to-end tests run into bin/: helm2, helm3, helm4, helm-cm-push,
# which is a plugin of helm3, the registry clients oras, crane, regctl and skopeo, the S3 server versitygw, and
# oci-conformance, the conformance suite of the OCI distribution-spec.
#
#   test/clients.sh          those that are missing or of another version
#   test/clients.sh --list   where they are and which versions, nothing built
#
# The first time each Helm takes minutes, for it is compiled from source; after that
# this is quiet and done at once. What stands in bin/ is known by a stamp beside
# it (bin/.helm3.stamp), so that a version that is raised here, or in
# helm2/go.mod or cmpush/go.mod, is built again. skopeo, rclone, htpasswd, and runc, which runs
# the container image, are Debian's, by debian.sh.
set -euo pipefail

HELM3=v3.22.0
HELM4=v4.3.2
ORAS=v1.3.6
CRANE=v0.22.1
REGCTL=v0.11.7
VERSITYGW=v1.8.0
CONFORMANCE=v0.0.0-20260831232431-97274622c111

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$here/../bin
GO=${GO:-go}

# Helm 2.17 needs the modules of its time: its own go.mod, all of whose lines count.
helm2=$(sed -n 's/^\tk8s\.io\/helm \(v[^ ]*\).*/\1/p' "$here/helm2/go.mod")
helm2_stamp="k8s.io/helm@$helm2 $(cat "$here/helm2/go.mod" "$here/helm2/go.sum" | cksum | tr ' ' '-')"

cmpush=$(sed -n 's/^require .*helm-push \(v[^ ]*\).*/\1/p' "$here/cmpush/go.mod")
cmpush_stamp="helm-push@$cmpush $(cat "$here/cmpush/go.mod" "$here/cmpush/go.sum" | cksum | tr ' ' '-')"

# build2 FILE, buildpush FILE and install FILE PACKAGE VERSION make one client under the name FILE.
# -p 2: more compilers at once need more memory than small machines have.
build2() { (cd "$here/helm2" && "$GO" build -p 2 -o "$1" k8s.io/helm/cmd/helm); }
buildpush() { (cd "$here/cmpush" && "$GO" build -p 2 -o "$1" github.com/chartmuseum/helm-push/cmd/helm-cm-push); }
install() {
  local into
  into=$(mktemp -d "$bin/.install.XXXXXX")
  GOBIN=$into "$GO" install -p 2 "$2@$3" && mv "$into/${2##*/}" "$1"
  local status=$?
  rm -rf "$into"
  return $status
}

# known CLIENT MODULE VERSION: a binary without a stamp tells by itself what it is.
known() {
  "$GO" version -m "$bin/$1" 2>/dev/null | awk -v m="$2" -v v="$3" '($1 == "mod" || $1 == "dep") && $2 == m && $3 == v { found = 1 } END { exit !found }'
}

# client NAME MODULE VERSION STAMP COMMAND...: COMMAND gets the file to make as its
# first argument. The client appears whole, its stamp after it.
client() {
  local name=$1 module=$2 version=$3 stamp=$4 make=$5
  shift 5
  if [ -x "$bin/$name" ]; then
    [ "$(cat "$bin/.$name.stamp" 2>/dev/null)" != "$stamp" ] || return 0
    if [ ! -e "$bin/.$name.stamp" ] && known "$name" "$module" "$version"; then
      echo "$stamp" >"$bin/.$name.stamp"
      return 0
    fi
  fi
  echo "clients: building $name ($module $version) into bin/; the first time this takes some minutes"
  local began=$SECONDS
  rm -f "$bin/.$name.stamp"
  "$make" "$bin/.$name.new" "$@"
  mv "$bin/.$name.new" "$bin/$name"
  echo "$stamp" >"$bin/.$name.stamp"
  echo "clients: bin/$name is there after $((SECONDS - began)) s"
}

list() {
  local name
  for name in helm2 helm3 helm4 helm-cm-push oras crane regctl oci-conformance versitygw skopeo runc htpasswd; do
    printf '%s\t%s\n' "bin/$name" "$(cat "$bin/.$name.stamp" 2>/dev/null || echo "not known: run test/clients.sh")"
  done
}

case ${1-} in
  --list) list; exit 0 ;;
  '') ;;
  *) echo "usage: test/clients.sh [--list]" >&2; exit 2 ;;
esac

mkdir -p "$bin"
client helm2 k8s.io/helm "$helm2" "$helm2_stamp" build2
client helm3 helm.sh/helm/v3 "$HELM3" "helm.sh/helm/v3@$HELM3" install helm.sh/helm/v3/cmd/helm "$HELM3"
client helm4 helm.sh/helm/v4 "$HELM4" "helm.sh/helm/v4@$HELM4" install helm.sh/helm/v4/cmd/helm "$HELM4"
client helm-cm-push github.com/chartmuseum/helm-push "$cmpush" "$cmpush_stamp" buildpush
client oras oras.land/oras "$ORAS" "oras.land/oras@$ORAS" install oras.land/oras/cmd/oras "$ORAS"
client crane github.com/google/go-containerregistry "$CRANE" "go-containerregistry@$CRANE" install github.com/google/go-containerregistry/cmd/crane "$CRANE"
client regctl github.com/regclient/regclient "$REGCTL" "regclient@$REGCTL" install github.com/regclient/regclient/cmd/regctl "$REGCTL"
client versitygw github.com/versity/versitygw "$VERSITYGW" "versitygw@$VERSITYGW" install github.com/versity/versitygw/cmd/versitygw "$VERSITYGW"
client oci-conformance github.com/opencontainers/distribution-spec/conformance "$CONFORMANCE" "conformance@$CONFORMANCE" install github.com/opencontainers/distribution-spec/conformance "$CONFORMANCE"
"$here/debian.sh" skopeo
"$here/debian.sh" runc
"$here/debian.sh" rclone
"$here/debian.sh" htpasswd apache2-utils
