# What the setups have in common.

# chart DIR NAME VERSION [LINE...] makes a chart; the lines are for its Chart.yaml.
chart() {
  mkdir -p "$1/templates"
  printf '%s\n' 'apiVersion: v2' "name: $2" "version: $3" "${@:4}" >"$1/Chart.yaml"
  printf 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: %s}\n' "$2" >"$1/templates/configmap.yaml"
}

# checkout DIR makes a copy of the repository's files, and goes into it.
checkout() {
  mkdir -p "$1" && cd "$1" && tar -C /opt/repository --exclude=./bin --exclude=./dist --exclude=./.git --exclude=.chartserve -cf - . | tar --no-same-owner -xf - && git init -q .
}

# archive NAME VERSION makes NAME-VERSION.tgz of a chart.
archive() {
  chart "made/$1-$2" "$1" "$2" && chartserve package "made/$1-$2"
}

# key NAME makes an RSA key of NAME@example.com without a passphrase, which Helm 2 knows too.
key() {
  gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key "$1@example.com" rsa2048 sign never
}

# plugin cm-push is ChartMuseum's, for helm.
plugin() {
  local into
  into=$(helm env HELM_PLUGINS)/cm-push && mkdir -p "$into" && ln -s "$(command -v helm-cm-push)" "$into/"
  cat >"$into/plugin.yaml" <<'END'
name: cm-push
version: 0.10.4
usage: pushes charts
description: pushes charts
command: $HELM_PLUGIN_DIR/helm-cm-push
downloaders:
- {command: helm-cm-push, protocols: [cm]}
END
}

# beside COMMAND... runs a server beside those of the page, until the page ends, and waits for its ready file.
beside() {
  local ready=/run/beside.$RANDOM
  CHARTSERVE_READY_FILE=$ready "$@" >"$ready.log" 2>&1 </dev/null &
  until [ -s $ready ]; do kill -0 $! || { cat $ready.log; return 1; }; sleep 0.02; done
}

# certificate NAME... makes tls.crt and tls.key for these names, of an authority that this machine trusts: ca.crt.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Authority' -keyout ca.key -out ca.crt
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" -CA ca.crt -CAkey ca.key \
    -addext "subjectAltName=$(printf 'DNS:%s,' "$@" | sed 's/,$//')" -addext basicConstraints=critical,CA:FALSE -keyout tls.key -out tls.crt
  cat ca.crt >>/etc/ssl/certs/ca-certificates.crt
}

# elsewhere FOLDER [FLAG...] serves a folder of archives as https://charts.example.com/stable, and what is
# pushed to the registries of the world.
elsewhere() {
  local names='charts.example.com registry.example.com docker.io index.docker.io registry-1.docker.io quay.io registry.k8s.io'
  mkdir -p ~/.elsewhere && (cd ~/.elsewhere && certificate $names) &&
    beside chartserve --address charts.example.com:443 --tls-cert ~/.elsewhere/tls.crt --tls-key ~/.elsewhere/tls.key \
      $(printf ' --allowed-host %s' $names) --context-path /stable --repo-path "$1" "${@:2}"
}

# policy is what skopeo's package brings.
policy() {
  mkdir -p /etc/containers && echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
}

# image NAME:TAG [FILE.tar] makes an image, in its registry or as a docker archive.
image() {
  echo "$1" >layer && tar -cf layer.tar layer && crane append --oci-empty-base -f layer.tar -t "$1" ${2:+-o "$2"}
}
