#!/usr/bin/env bash
# Puts nginx and caddy, of Debian's packages, into bin/ for the tests of examples/, with the
# libraries that this machine lacks in bin/.proxies: nothing is installed on the machine.
# Quiet and done at once where they are there already.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
mkdir -p "$bin"

# libraries PACKAGE... are the packages of the libraries that these name, but for C's.
libraries() { apt-cache depends "$@" | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | grep -vx libc6; }

# get NAME puts one of them into bin/.
get() {
  local found tool
  [ ! -x "$bin/$1" ] || return 0
  if found=$(PATH=$PATH:/usr/sbin command -v "$1"); then
    ln -sf "$found" "$bin/$1"
    return 0
  fi
  for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || {
      echo "$1: there is no $tool to get it with: put one into bin/" >&2
      exit 1
    }
  done
  mkdir "$1"
  cd "$1"
  # shellcheck disable=SC2046 # names have no blanks
  apt-get -q download "$1" $(libraries "$1") >log 2>&1 || {
    cat log >&2
    echo "$1: Debian's package $1 can't be downloaded (apt-get update first?)" >&2
    exit 1
  }
  for package in *.deb; do dpkg-deb -x "$package" root; done
  rm -rf "$bin/.proxies/$1"
  mkdir -p "$bin/.proxies/$1"
  find root -name 'lib*.so*' -exec mv -t "$bin/.proxies/$1" {} +
  find root -path "root/usr/*bin/$1" -exec mv {} "$bin/.proxies/$1/$1" \;
  cat >wrapper <<WRAPPER
#!/bin/sh
at=\$(dirname "\$(readlink -f "\$0")")/.proxies/$1
LD_LIBRARY_PATH=\$at exec "\$at/$1" "\$@"
WRAPPER
  chmod +x wrapper
  mv wrapper "$bin/$1"
  cd ..
}

into=$(mktemp -d "$bin/.get.XXXXXX")
trap 'rm -rf "$into"' EXIT
chmod 755 "$into"
cd "$into"
get nginx
get caddy
