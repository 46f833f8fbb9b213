#!/usr/bin/env bash
# Puts what the browser tests need into bin/: chromium-headless-shell, of Debian's package,
# with its libraries and a font in bin/.chromium, and axe-core, the accessibility checker, of
# the npm registry's. Nothing is installed on the machine. Quiet and done at once where both
# are there already.
set -euo pipefail

AXE=4.14.1
AXE_SHA512=FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
mkdir -p "$bin"

# fail PROGRAM WHY ends it.
fail() {
  echo "$1: $2" >&2
  exit 1
}

# axe gets the package by the registry's address for it, and believes its digest alone.
axe() {
  local at=https://registry.npmjs.org/axe-core/-/axe-core-$AXE.tgz tool
  [ "$(cat "$bin/.axe.stamp" 2>/dev/null)" != "axe-core $AXE" ] || return 0
  for tool in curl openssl; do
    command -v "$tool" >/dev/null || fail axe-core "there is no $tool to get it with: put axe.min.js of axe-core $AXE into bin/axe.js, and 'axe-core $AXE' into bin/.axe.stamp"
  done
  echo "browser: getting axe-core $AXE from the npm registry into bin/"
  curl --fail --silent --show-error --location --max-time 300 --output axe.tgz "$at" || fail axe-core "$at can't be downloaded"
  [ "$(openssl dgst -sha512 -binary axe.tgz | base64 -w0)" = "$AXE_SHA512" ] || fail axe-core "$at has another digest than this script knows"
  tar -xzf axe.tgz package/axe.min.js
  mv package/axe.min.js "$bin/axe.js"
  echo "axe-core $AXE" >"$bin/.axe.stamp"
}

# libraries PACKAGE... are the libraries' packages below these, but for C's and what takes the
# place of systemd's.
libraries() {
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
    grep '^lib' | grep -vx 'libc6\|libelogind0' | sort -u
}

chromium() {
  local found tool direct
  [ ! -x "$bin/chromium" ] || return 0
  if found=$(command -v chromium-headless-shell || command -v chromium); then
    ln -sf "$found" "$bin/chromium"
    echo "chromium of this machine" >"$bin/.chromium.stamp"
    return 0
  fi
  for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || fail chromium "there is no $tool to get it with: put a chromium into bin/"
  done
  echo "browser: getting Debian's chromium-headless-shell into bin/ (110 MB)"
  mkdir packages
  cd packages
  {
    direct=$(apt-cache depends chromium-headless-shell | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | grep -vx libc6)
    # shellcheck disable=SC2086,SC2046 # names have no blanks
    apt-get -q download chromium-headless-shell chromium-common fonts-dejavu-core $(libraries $direct)
  } >../log 2>&1 || {
    cat ../log >&2
    fail chromium "Debian's package chromium-headless-shell can't be downloaded (apt-get update first?)"
  }
  cd ..
  for package in packages/*.deb; do dpkg-deb -x "$package" root; done
  mkdir -p chromium/lib
  find root -path root/usr/lib/chromium -prune -o -name 'lib*.so*' -exec mv -t chromium/lib {} +
  mv root/usr/lib/chromium/* chromium/
  mv root/usr/share/fonts/truetype/dejavu chromium/fonts
  cat >chromium/fonts.conf <<'FONTS'
<?xml version="1.0"?>
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
</fontconfig>
FONTS
  cat >wrapper <<'WRAPPER'
#!/bin/sh
at=$(dirname "$(readlink -f "$0")")/.chromium
export LD_LIBRARY_PATH="$at/lib" FONTCONFIG_FILE="$at/fonts.conf" XDG_CACHE_HOME="$at/cache"
exec "$at/chromium-headless-shell" "$@"
WRAPPER
  chmod +x wrapper
  rm -rf "$bin/.chromium"
  mv chromium "$bin/.chromium"
  mv wrapper "$bin/chromium"
  dpkg-deb --show --showformat='${Package} ${Version} of Debian\n' packages/chromium-headless-shell_*.deb >"$bin/.chromium.stamp"
}

into=$(mktemp -d "$bin/.browser.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"
axe
chromium
