# release FORM puts the plugin that make dist has made here, as that of release 0.1.0 on the page's system.
release() {
  local made
  made=$(ls /opt/bin/dist/chartserve-helm-plugin-*_"$1"_linux_"$(dpkg --print-architecture)".tgz) || { echo "run make dist OUT=bin/dist first"; return 1; }
  cp "$made" chartserve-helm-plugin-0.1.0_"$1"_linux_amd64.tgz
  case $made in *-0.1.0_*) return ;; esac
  mkdir "$1" && tar -xf "$made" -C "$1" && sed -i 's/^version: .*/version: 0.1.0/' $(find "$1" -name plugin.yaml)
  tar -cf - -C "$1" $(ls -A "$1") | gzip -1 >chartserve-helm-plugin-0.1.0_"$1"_linux_amd64.tgz
}
release helm3
release helm4
key ann
gpg --export-secret-keys >secring.gpg
gpg --export >pubring.gpg
chart charts/nova nova 1.0.0
