#!/usr/bin/env bash
# Puts kube-apiserver and etcd into bin/, compiled from source, for the test that installs the
# chart: half an hour the first time, quiet and done at once after that.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$here/../bin
mkdir -p "$bin"
stamp=$(cat "$here/cluster/go.mod" "$here/cluster/go.sum" | cksum)
[ "$(cat "$bin/.cluster.stamp" 2>/dev/null)" != "$stamp" ] || exit 0
echo "cluster: building kube-apiserver and etcd into bin/; the first time this takes half an hour"
cd "$here/cluster"
version=$("${GO:-go}" list -m -f '{{.Version}}' k8s.io/kubernetes)
# -p 2: more compilers at once need more memory than small machines have.
"${GO:-go}" build -p 2 -ldflags "-X k8s.io/component-base/version.gitVersion=$version" -o "$bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
"${GO:-go}" build -p 2 -o "$bin/etcd" go.etcd.io/etcd/server/v3
echo "$stamp" >"$bin/.cluster.stamp"
