#!/usr/bin/env bash
# Puts clean roots of Debian 12 into bin/ for the tests of packages: .debian, the smallest with
# systemd, and .debian-tools, a layer over it with what reads man pages and rpms and runs
# playbooks. Nothing is installed on the machine. It needs root, and is quiet and done at once
# where both are there already. DEBIAN_MIRROR is where Debian comes from, if not from its own.
set -euo pipefail

tools=(ansible-core iproute2 man-db mandoc python3-apt rpm)
bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
[ "$(cat "$bin/.debian-tools.stamp" 2>/dev/null)" != "${tools[*]}" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "machine: the tests of packages need root, and are skipped without it" >&2
  exit 0
fi
mkdir -p "$bin"
into=$(mktemp -d "$bin/.get.XXXXXX")
trap 'rm -rf --one-file-system "$into"' EXIT
chmod 755 "$into"
cd "$into"

# quietly PROGRAM... prints what it says where it fails.
quietly() {
  "$@" >log 2>&1 || {
    cat log >&2
    echo "machine: no root can be made (apt-get update first?)" >&2
    exit 1
  }
}

# layer ROOT PACKAGE... installs into upper, an overlay over ROOT. It mounts, in a namespace of
# its own.
layer() {
  local root=$1
  shift
  mkdir upper work merged
  mount -t overlay overlay -o "lowerdir=$root,upperdir=upper,workdir=work" merged
  mount -t proc proc merged/proc
  cp /etc/resolv.conf merged/etc/resolv.conf
  DEBIAN_FRONTEND=noninteractive chroot merged apt-get -q -y --no-install-recommends install "$@"
  rm -f merged/etc/resolv.conf merged/var/cache/apt/*.bin merged/var/cache/apt/archives/*.deb
}
export -f layer

if [ ! -e "$bin/.debian.stamp" ]; then
  echo "machine: getting Debian 12 into bin/ (a minute, 250 MB)"
  quietly apt-get -q download debootstrap
  dpkg-deb -x debootstrap_*.deb debootstrap
  DEBOOTSTRAP_DIR=$PWD/debootstrap/usr/share/debootstrap quietly debootstrap/usr/sbin/debootstrap \
    --variant=minbase --include=systemd,systemd-sysv,dbus bookworm root ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
  rm -rf "$bin/.debian" root/var/cache/apt/archives/*.deb
  mv root "$bin/.debian"
  echo bookworm >"$bin/.debian.stamp"
fi
echo "machine: getting Debian's ${tools[*]} into bin/ (a minute, 300 MB)"
quietly unshare --mount bash -euc 'layer "$@"' layer "$bin/.debian" "${tools[@]}"
rm -rf "$bin/.debian-tools"
mv upper "$bin/.debian-tools"
echo "${tools[*]}" >"$bin/.debian-tools.stamp"
