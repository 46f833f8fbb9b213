#!/usr/bin/env bash
# Puts skopeo, of Debian's package, into bin/ for the end-to-end tests, with its libraries in
# bin/.skopeo: nothing is installed on the machine. Quiet and done at once where it is there
# already.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ ! -x "$bin/skopeo" ] || exit 0
mkdir -p "$bin"
if found=$(command -v skopeo); then
  ln -sf "$found" "$bin/skopeo"
  echo "skopeo of this machine" >"$bin/.skopeo.stamp"
  exit 0
fi
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "skopeo: there is no $tool to get it with: put a skopeo (https://github.com/containers/skopeo) into bin/" >&2
    exit 1
  }
done
into=$(mktemp -d "$bin/.get.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"

# libraries PACKAGE... are the packages of the libraries that these name, but for C's.
libraries() { apt-cache depends "$@" | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | grep -vx libc6; }
{
  direct=$(libraries skopeo)
  # shellcheck disable=SC2086 # names have no blanks
  apt-get -q download skopeo $direct $(libraries $direct)
} >log 2>&1 || {
  cat log >&2
  echo "skopeo: Debian's package skopeo can't be downloaded (apt-get update first?)" >&2
  exit 1
}
for package in *.deb; do dpkg-deb -x "$package" root; done
mkdir skopeo
find root -name 'lib*.so*' -exec mv -t skopeo {} +
mv root/usr/bin/skopeo skopeo/
rm -rf "$bin/.skopeo"
mv skopeo "$bin/.skopeo"
cat >skopeo <<'WRAPPER'
#!/bin/sh
at=$(dirname "$(readlink -f "$0")")/.skopeo
LD_LIBRARY_PATH=$at exec "$at/skopeo" "$@"
WRAPPER
chmod +x skopeo
mv skopeo "$bin/skopeo"
dpkg-deb --show --showformat='${Package} ${Version} of Debian\n' skopeo_*.deb >"$bin/.skopeo.stamp"
