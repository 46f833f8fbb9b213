//go:build linux

package dist

import (
	"path/filepath"
	"runtime"
	"testing"
)

// What needs no package manager is installed on a clean machine without a network: the archive,
// which is checked by its sum, and the plugin of either Helm.
func TestOffline(t *testing.T) {
	release := made(t, "archives", "chartserve_*_linux_"+runtime.GOARCH+".tar.gz")
	m := start(t, ".debian")
	m.put(t, filepath.Join(folder(t), "SHA256SUMS"), "SHA256SUMS")
	m.put(t, release, filepath.Base(release))
	m.run(t, `cd /mnt
		sha256sum --check --ignore-missing --strict SHA256SUMS
		tar -xzf chartserve_*.tar.gz -C /opt
		ln -s /opt/chartserve_*/chartserve /usr/bin/chartserve
		chartserve licenses | cmp - /opt/chartserve_*/THIRD_PARTY_LICENSES`)
	for _, format := range []string{"helm3", "helm4"} {
		plugin := archive(t, format)
		m.put(t, tool(t, format), format)
		m.put(t, plugin, filepath.Base(plugin))
	}
	m.run(t, `cd /mnt
		mkdir -p /opt/plugin /srv/charts/nova /srv/pulled-3 /srv/pulled-4
		printf 'apiVersion: v2\nname: nova\nversion: 1.0.0\n' >/srv/charts/nova/Chart.yaml
		tar -xzf chartserve-helm-plugin-*_helm3_*.tgz -C /opt/plugin
		serves() {
			"$1" serve --address localhost:0 --ready-file "/srv/$2" --repo-path "/srv/built-$2" /srv/charts >"/srv/log-$2" 2>&1 &
			timeout 60 sh -c 'until [ -e "/srv/$0" ]; do sleep 0.1; done' "$2"
			"$1" repo add local "$(cat "/srv/$2")"
			"$1" pull local/nova --destination "/srv/pulled-$2"
			kill $!
		}
		export HELM_DATA_HOME=/srv/data3
		./helm3 plugin install /opt/plugin
		serves ./helm3 3
		export HELM_DATA_HOME=/srv/data4 HELM_REPOSITORY_CONFIG=/srv/repositories4
		./helm4 plugin install --verify=false chartserve-helm-plugin-*_helm4_*.tgz
		serves ./helm4 4
		chartserve build --repo-path /srv/built /srv/charts`)
	m.wants(t, "cd /srv; sha256sum built/nova-1.0.0.tgz pulled-?/nova-1.0.0.tgz | cut -d' ' -f1 | uniq -c | tr -s ' ' | cut -d' ' -f2", "3")
}
