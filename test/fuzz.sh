#!/bin/sh
# Runs every fuzz target of the repository, each for the time given, and as many
# at once as there are processors; or one:
#
#   test/fuzz.sh 5s
#   test/fuzz.sh 10m internal/pkgr FuzzCheck
#
# The targets are found, not listed: a new one is run from the day it is there.
# Go writes what makes one fail to testdata/fuzz/ beside it: commit that file, it
# is a case of the unit tests from then on.
set -eu

duration=${1:?"usage: fuzz.sh DURATION [FOLDER TARGET], DURATION such as 5s"}
cd "$(dirname "$0")/.."

if [ $# -eq 1 ]; then
  targets=$(git grep --untracked -E '^func Fuzz[A-Za-z0-9_]*\(' -- '*_test.go' |
    sed -n 's|^\(.*\)/[^/]*:func \(Fuzz[A-Za-z0-9_]*\)(.*|\1 \2|p')
  if [ -z "$targets" ]; then
    echo "fuzz: no target found" >&2
    exit 1
  fi
  echo "$targets" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 test/fuzz.sh "$duration"
  exit
fi

dir=$2 name=$3
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# overran tells a failure that is the fuzzer's own: up to Go 1.26 its deadline may
# end a run as an error, with no input that failed (go.dev/issue/75804).
overran() {
  ! grep -q 'Failing input written to\|^panic:' "$log" &&
    [ "$(sed -n '/^--- FAIL: /,/^FAIL/p' "$log" | sed '1d;$d')" = '    context deadline exceeded' ]
}

status=0
(cd "$dir" && "${GO:-go}" test -run='^$' -fuzz="^$name\$" -fuzztime="$duration" -parallel=1 .) </dev/null >"$log" 2>&1 || status=$?
if [ $status -ne 0 ]; then
  echo "$dir: $name, $duration"
  cat "$log"
  overran || exit $status
  echo "$name: no input failed; the fuzzer overran its time (go.dev/issue/75804)"
else
  echo "$dir: $name, $duration, $(grep 'elapsed: ' "$log" | tail -n 1 | sed 's/^fuzz: elapsed: [^,]*, //')"
fi
