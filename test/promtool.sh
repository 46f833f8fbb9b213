#!/usr/bin/env bash
# Puts promtool, of Debian's package prometheus, into bin/ for the end-to-end tests: nothing
# is installed on the machine. Quiet and done at once where it is there already.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ ! -x "$bin/promtool" ] || exit 0
mkdir -p "$bin"
if found=$(command -v promtool); then
  ln -sf "$found" "$bin/promtool"
  exit 0
fi
for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "promtool: there is no $tool to get it with: put a promtool (https://prometheus.io) into bin/" >&2
    exit 1
  }
done
into=$(mktemp -d "$bin/.promtool.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"
apt-get -q download prometheus >log 2>&1 || {
  cat log >&2
  echo "promtool: Debian's package prometheus can't be downloaded (apt-get update first?)" >&2
  exit 1
}
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool
chmod +x promtool
mv promtool "$bin/promtool"
