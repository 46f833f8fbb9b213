#!/usr/bin/env bash
# Sets the path of the server's module, and of those below it, everywhere, from whatever it is:
#
#   packaging/module.sh example.org/x/chartserve
#
# It changes files that git knows. Done again it changes nothing, and with the path that was it
# changes everything back.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}

new=${1:-}
if [[ ! $new =~ ^[a-z0-9.-]+(/[A-Za-z0-9._~-]+)*$ ]]; then
  echo "module: \"$new\" is no module path: make module PATH=example.org/x/chartserve" >&2
  exit 2
fi
old=$($go list -m)
[ "$old" != "$new" ] || exit 0
from=${old//./\\.}

# edit EXPRESSION FILE... is sed -i, for every sed. Files that stay as they are keep their time.
edit() {
  local expression=$1 file
  shift
  for file; do
    sed -E "$expression" "$file" >"$file.new"
    if cmp -s "$file" "$file.new"; then rm "$file.new"; else cat "$file.new" >"$file" && rm "$file.new"; fi
  done
}

# Names of files have no blanks here.
code=$(git grep -lE "\"$from/" -- '*.go')
# shellcheck disable=SC2086
edit "s#\"$from/(cmd|internal|packaging|test)([/\"])#\"$new/\\1\\2#g" $code
# shellcheck disable=SC2086
gofmt -w $code

modules=$(git ls-files -- go.mod '*/go.mod')
# shellcheck disable=SC2086
edit "s#^(module |replace |require |	)$from(/[^ ]*)?( |\$)#\\1$new\\2\\3#" $modules
for module in $modules; do $go mod edit -fmt "$module"; done
