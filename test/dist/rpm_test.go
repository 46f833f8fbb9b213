//go:build linux

package dist

import (
	"runtime"
	"strings"
	"testing"
)

// An rpm's life, on Debian with Debian's rpm, which knows none of the packages that it asks for.
func TestRPM(t *testing.T) {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	rpm, helm := made(t, "packages", "chartserve-*."+arch+".rpm"), tool(t, "helm3")
	m := start(t, ".debian", ".debian-tools")
	m.put(t, rpm, "chartserve.rpm")
	m.put(t, helm, "helm")
	m.wants(t, "rpm -K /mnt/chartserve.rpm 2>/dev/null", "/mnt/chartserve.rpm: digests OK")
	m.wants(t, "rpm -qpR /mnt/chartserve.rpm 2>/dev/null", "/usr/sbin/useradd")

	m.run(t, "rpm -i --nodeps /mnt/chartserve.rpm")
	m.wants(t, "rpm -V --nodeps chartserve", "")
	m.wants(t, "stat -c '%U %a' /var/lib/chartserve", "chartserve 755")
	m.run(t, `mkdir -p /srv/charts/nova
		printf 'apiVersion: v2\nname: nova\nversion: 1.0.0\n' >/srv/charts/nova/Chart.yaml
		chartserve package -d /var/lib/chartserve /srv/charts/nova
		echo '# mine' >>/etc/chartserve/chartserve.yaml
		systemctl start chartserve
		/mnt/helm repo add local http://localhost:8879/charts`)
	m.finds(t, "1.0.0")

	pid := m.run(t, "systemctl show -P MainPID chartserve")
	m.run(t, "rpm -U --nodeps --force /mnt/chartserve.rpm")
	m.wants(t, "tail -n 1 /etc/chartserve/chartserve.yaml", "# mine")
	m.finds(t, "1.0.0")
	if m.run(t, "systemctl show -P MainPID chartserve") == pid {
		t.Error("after an upgrade the old program still runs")
	}

	m.run(t, "rpm -e chartserve")
	m.wants(t, "systemctl is-active chartserve || true", "inactive")
	if left := m.run(t, "ls /etc/chartserve /var/lib/chartserve"); !strings.Contains(left, "chartserve.yaml.rpmsave") || !strings.Contains(left, "nova-1.0.0.tgz") {
		t.Errorf("settings and charts do not outlive the package:\n%s", left)
	}
}
