#!/usr/bin/env bash
# Puts what runs programs for other processors into bin/, of Debian's qemu-user-static, for the
# tests of what make dist makes: nothing is installed on the machine. Quiet and done at once where
# it is there already.
set -euo pipefail

processors=(aarch64 arm ppc64le s390x)
bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ ! -x "$bin/qemu-${processors[-1]}-static" ] || exit 0
mkdir -p "$bin"
for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "qemu: there is no $tool to get it with: put qemu-*-static for ${processors[*]} into bin/" >&2
    exit 1
  }
done
into=$(mktemp -d "$bin/.get.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"
apt-get -q download qemu-user-static >log 2>&1 || {
  cat log >&2
  echo "qemu: Debian's package qemu-user-static can't be downloaded (apt-get update first?)" >&2
  exit 1
}
for package in *.deb; do dpkg-deb -x "$package" root; done
for processor in "${processors[@]}"; do
  cp -L "root/usr/bin/qemu-$processor-static" "$bin/"
done
