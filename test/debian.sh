#!/usr/bin/env bash
# Puts a program of Debian's into bin/ for tests, with its libraries in bin/.NAME: nothing is
# installed on the machine. Quiet and done at once where it is there already. The package has
# the program's name, or the one that is given.
#
#   test/debian.sh skopeo
#   test/debian.sh htpasswd apache2-utils
set -euo pipefail

name=${1:?"usage: debian.sh NAME [PACKAGE]"}
package=${2:-$name}
bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ ! -x "$bin/$name" ] || exit 0
mkdir -p "$bin"
if found=$(PATH=$PATH:/usr/sbin:/sbin command -v "$name"); then
  ln -sf "$found" "$bin/$name"
  echo "$name of this machine" >"$bin/.$name.stamp"
  exit 0
fi
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "$name: there is no $tool to get it with: put a $name into bin/" >&2
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
  direct=$(libraries "$package")
  # shellcheck disable=SC2086 # names have no blanks
  apt-get -q download "$package" $direct $(libraries $direct)
} >log 2>&1 || {
  cat log >&2
  echo "$name: Debian's package $package can't be downloaded (apt-get update first?)" >&2
  exit 1
}
for deb in *.deb; do dpkg-deb -x "$deb" root; done
mkdir made
find root -name 'lib*.so*' -exec mv -t made {} +
find root -path "*bin/$name" -type f -exec mv -t made {} +
rm -rf "$bin/.$name"
mv made "$bin/.$name"
cat >wrapper <<WRAPPER
#!/bin/sh
at=\$(dirname "\$(readlink -f "\$0")")/.$name
LD_LIBRARY_PATH=\$at exec "\$at/$name" "\$@"
WRAPPER
chmod +x wrapper
mv wrapper "$bin/$name"
dpkg-deb --show --showformat='${Package} ${Version} of Debian\n' "$package"_*.deb >"$bin/.$name.stamp"
