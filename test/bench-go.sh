#!/usr/bin/env bash
# Compares the Go benchmarks of two commits with benchstat:
#
#   test/bench-go.sh BASE [NEW]        NEW is the working tree unless it is given
#
# COUNT=10 BENCH=Pack PKG=./internal/pkgr make the comparison longer or narrower.
# The test binaries of both are built first and then run in turn (A B A B), so that
# a machine whose speed drifts treats both alike.
set -euo pipefail

base=${1:?"usage: bench-go.sh BASE [NEW], such as: make bench-go BASE=HEAD~1"}
new=${2-}
count=${COUNT:-8}
bench=${BENCH:-.}
GO=${GO:-go}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
git rev-parse --verify --quiet "$base^{commit}" >/dev/null || { echo "bench-go: no commit is called $base" >&2; exit 2; }

# The packages that hold benchmarks, in the working tree or as PKG says.
packages=${PKG:-$(git grep --untracked -lE '^func Benchmark[A-Za-z0-9_]*\(' -- 'internal/**/*_test.go' 'cmd/**/*_test.go' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')}
[ -n "$packages" ] || { echo "bench-go: no benchmark found" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tree COMMIT: its files, in a folder of their own.
tree() {
  mkdir -p "$work/tree-$1"
  git archive "$1" | tar -x -C "$work/tree-$1"
  echo "$work/tree-$1"
}
base=$(git rev-parse --short "$base^{commit}")
old=$(tree "$base")
changed=$root label="working tree"
if [ -n "$new" ]; then
  new=$(git rev-parse --short "$new^{commit}")
  changed=$(tree "$new") label=$new
fi

# build WHICH TREE: a test binary of each package that TREE has.
build() {
  local p
  mkdir -p "$work/$1"
  for p in $packages; do
    [ ! -d "$2/$p" ] || (cd "$2" && "$GO" test -c -o "$work/$1/$(echo "$p" | tr -c 'a-zA-Z0-9\n' _).test" "$p")
  done
}
build old "$old"
build new "$changed"

# once WHICH TREE: each benchmark once, from its own folder, as go test does it.
once() {
  local p binary
  for p in $packages; do
    binary=$work/$1/$(echo "$p" | tr -c 'a-zA-Z0-9\n' _).test
    [ ! -x "$binary" ] || (cd "$2/$p" && "$binary" -test.run='^$' -test.bench="$bench" -test.benchmem) >>"$work/$1.txt"
  done
}
for ((i = 1; i <= count; i++)); do
  echo "bench-go: round $i of $count" >&2
  once old "$old"
  once new "$changed"
done

"$GO" tool -modfile="$root/test/tools/go.mod" benchstat "$base=$work/old.txt" "$label=$work/new.txt"
