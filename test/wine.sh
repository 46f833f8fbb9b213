#!/usr/bin/env bash
# Puts Wine, of Debian's packages, into bin/.wine (700 MB) for the test of the Windows program, and
# bin/wine64 that starts it: nothing is installed on the machine. Quiet and done at once where it is
# there already.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ ! -x "$bin/wine64" ] || exit 0
mkdir -p "$bin"
into=$(mktemp -d "$bin/.get.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"
apt-get -q download wine64 libwine libz-mingw-w64 libunwind8 liblzma5 >log 2>&1 || {
  cat log >&2
  echo "wine: Debian's packages of it can't be downloaded (apt-get update first?)" >&2
  exit 1
}
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=(root/usr/lib/*-linux-gnu/wine)
cp root/usr/x86_64-w64-mingw32/lib/zlib1.dll "${libraries[0]}/x86_64-windows/"
# Wine starts what lies beside it under this name, which is a script that knows /usr alone.
ln -sf wineserver64 root/usr/lib/wine/wineserver
rm -rf "$bin/.wine"
mv root "$bin/.wine"
cat >wine64 <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)/.wine/usr/lib
LD_LIBRARY_PATH=$here/x86_64-linux-gnu exec "$here/wine/wine64" "$@"
SCRIPT
chmod 755 wine64
mv wine64 "$bin/"
