//go:build linux

package dist

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// debian boots a machine with the deb at /mnt/chartserve.deb and a helm at /mnt/helm.
func debian(t *testing.T, roots ...string) *machine {
	t.Helper()
	deb, helm := made(t, "packages", "chartserve_*_"+runtime.GOARCH+".deb"), tool(t, "helm3")
	m := start(t, append([]string{".debian"}, roots...)...)
	m.put(t, deb, "chartserve.deb")
	m.put(t, helm, "helm")
	return m
}

// A deb's life: it serves once it is installed, takes charts and settings, is upgraded while it
// serves, removed and purged. Settings outlive its removal, and charts its purge.
func TestDeb(t *testing.T) {
	m := debian(t)
	for _, step := range []struct {
		name string
		take func(*testing.T, *machine)
	}{{"no systemd", withoutSystemd}, {"first start", firstStart}, {"hardening", staysWithin}, {"settings", changeSettings}, {"upgrade", upgrade}, {"socket", useSocket}, {"remove", remove}, {"purge", purge}} {
		if !t.Run(step.name, func(t *testing.T) { step.take(t, m) }) {
			return
		}
	}
}

// Where systemd does not run, as in an image that is built, nothing is started; the user and the
// folder are there.
func withoutSystemd(t *testing.T, m *machine) {
	m.run(t, `unshare --mount sh -euc '
		mount -t tmpfs tmpfs /run
		groupadd --system chartserve # of a site that was there before
		dpkg -i /mnt/chartserve.deb
		runuser -u chartserve -- chartserve build --config /etc/chartserve/chartserve.yaml --repo-path /var/lib/chartserve'
		dpkg -P chartserve`)
	m.wants(t, "systemctl is-active chartserve || true", "inactive")
}

// Nothing is configured: archives that are put into its folder are served, to this machine.
func firstStart(t *testing.T, m *machine) {
	m.run(t, "dpkg -i /mnt/chartserve.deb")
	m.wants(t, "systemctl is-active chartserve", "active")
	m.wants(t, "systemctl is-enabled chartserve", "enabled")
	m.wants(t, "systemctl is-enabled chartserve.socket || true", "disabled")
	m.wants(t, "stat -c '%U %a' /var/lib/chartserve", "chartserve 755")
	m.wants(t, "systemd-analyze verify --man=no /usr/lib/systemd/system/chartserve.*", "")
	m.wants(t, "chartserve config check /etc/chartserve/chartserve.yaml >/dev/null && echo valid", "valid")
	if log := m.run(t, "journalctl -u chartserve"); !strings.Contains(log, "No chart found in /var/lib/chartserve") {
		t.Errorf("the first start does not say how to go on:\n%s", log)
	}
	m.run(t, `mkdir -p /srv/charts/nova
		printf 'apiVersion: v2\nname: nova\nversion: 1.0.0\n' >/srv/charts/nova/Chart.yaml
		chartserve package -d /var/lib/chartserve /srv/charts/nova
		/mnt/helm repo add local http://localhost:8879/charts`)
	m.finds(t, "1.0.0")
}

// What the unit takes away is not missed: variables, a unix socket, helm as a process that has a
// limit of its own, and commands beside it, as its user.
func staysWithin(t *testing.T, m *machine) {
	m.run(t, `printf 'CHARTSERVE_ALLOW_HELM_TEMPLATE=true\nCHARTSERVE_ADDRESS=localhost:8879,unix:/run/chartserve/http\n' >/etc/default/chartserve
		ln -s /mnt/helm /usr/local/bin/helm
		sed -i 's/^version: .*/version: 0.9.0/' /srv/charts/nova/Chart.yaml
		mkdir /srv/charts/nova/templates
		echo '{kind: ConfigMap, apiVersion: v1, metadata: {name: n}, data: {version: {{ .Chart.Version }}}}' >/srv/charts/nova/templates/a.yaml
		chartserve package -d /var/lib/chartserve /srv/charts/nova
		systemctl restart chartserve
		chartserve health --ready --address unix:/run/chartserve/http`)
	m.wants(t, `bash -euc 'exec 3<>/dev/tcp/127.0.0.1/8879
		printf "GET /chart/nova/diff/?from=0.9.0&to=1.0.0&rendered HTTP/1.0\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n" >&3
		grep -o "^-.*version: 0.9.0" <&3'`, "-{kind: ConfigMap, apiVersion: v1, metadata: {name: n}, data: {version: 0.9.0")
	m.run(t, `runuser -u chartserve -- chartserve prune --repo-path /var/lib/chartserve nova@0.9.0
		rm /etc/default/chartserve; systemctl restart chartserve`)
}

// The settings file makes it package sources, and ask for a login with what only its group reads.
func changeSettings(t *testing.T, m *machine) {
	m.run(t, `cat >>/etc/chartserve/chartserve.yaml <<END
source: [/srv/charts/*]
htpasswd: /etc/chartserve/users
END
		echo 'alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=' >/etc/chartserve/users # secret
		chgrp chartserve /etc/chartserve/users; chmod 640 /etc/chartserve/users
		sed -i 's/^version: .*/version: 1.1.0/' /srv/charts/nova/Chart.yaml
		systemctl restart chartserve`)
	if out := m.try("/mnt/helm repo update"); !strings.Contains(out, "401") {
		t.Errorf("without a login: %s", out)
	}
	m.run(t, "/mnt/helm repo add --force-update --username alice --password secret local http://localhost:8879/charts")
	m.finds(t, "1.1.0")

	pid := m.run(t, "systemctl show -P MainPID chartserve")
	m.run(t, "systemctl reload chartserve")
	m.wants(t, "systemctl show -P MainPID chartserve", strings.TrimSpace(pid))
}

// An upgrade keeps the settings that were edited, says what is new in them, and restarts.
func upgrade(t *testing.T, m *machine) {
	pid := m.run(t, "systemctl show -P MainPID chartserve")
	m.run(t, `dpkg-deb -R /mnt/chartserve.deb /tmp/new
		sed -i 's/^Version: .*/Version: 99.0.0-1/' /tmp/new/DEBIAN/control
		echo '# another default' >>/tmp/new/etc/chartserve/chartserve.yaml
		dpkg-deb -Znone -b /tmp/new /tmp/new.deb
		dpkg --force-confold -i /tmp/new.deb`)
	m.wants(t, "systemctl is-active chartserve", "active")
	m.wants(t, "dpkg-query -Wf '${Version}\n' chartserve", "99.0.0-1")
	m.wants(t, "grep -c 'htpasswd: /etc\\|another default' /etc/chartserve/chartserve.yaml /etc/chartserve/chartserve.yaml.dpkg-dist",
		"/etc/chartserve/chartserve.yaml:2", "/etc/chartserve/chartserve.yaml.dpkg-dist:2")
	if m.run(t, "systemctl show -P MainPID chartserve") == pid {
		t.Error("the old version still runs")
	}
	m.finds(t, "1.1.0")
}

// With the socket it is started by who asks, and stays reachable while it restarts.
func useSocket(t *testing.T, m *machine) {
	m.run(t, "systemctl stop chartserve; systemctl enable --now chartserve.socket")
	m.wants(t, "systemctl is-active chartserve || true", "inactive")
	m.finds(t, "1.1.0")
	m.wants(t, "systemctl is-active chartserve", "active")
	m.run(t, "systemctl stop chartserve")
	m.finds(t, "1.1.0")
}

// A removed package serves nothing; once it is back, it serves as before.
func remove(t *testing.T, m *machine) {
	m.run(t, "dpkg -r chartserve")
	m.wants(t, "systemctl is-active chartserve chartserve.socket || true", "inactive", "inactive")
	m.wants(t, "ls /etc/chartserve /var/lib/chartserve/*.tgz",
		"/var/lib/chartserve/nova-1.0.0.tgz", "/var/lib/chartserve/nova-1.1.0.tgz", "", "/etc/chartserve:", "chartserve.yaml", "chartserve.yaml.dpkg-dist", "users")
	m.run(t, "dpkg --force-confold -i /tmp/new.deb")
	m.finds(t, "1.1.0")
}

func purge(t *testing.T, m *machine) {
	out := m.run(t, "dpkg -P chartserve")
	if !strings.Contains(out, "/var/lib/chartserve holds charts and was kept") {
		t.Errorf("it does not say that the charts are kept:\n%s", out)
	}
	m.wants(t, "ls /var/lib/chartserve/*.tgz /etc/chartserve", "/var/lib/chartserve/nova-1.0.0.tgz", "/var/lib/chartserve/nova-1.1.0.tgz", "", "/etc/chartserve:", "users")
	m.wants(t, "find /etc/systemd/system -name 'chartserve*'; find /var/lib/systemd -name 'chartserve*'", "")

	m.run(t, "rm -r /var/lib/chartserve; dpkg -i /mnt/chartserve.deb; dpkg -P chartserve")
	m.wants(t, "ls -d /var/lib/chartserve 2>&1 || true", "ls: cannot access '/var/lib/chartserve': No such file or directory")
	m.run(t, "dpkg -i /mnt/chartserve.deb; mount -t tmpfs tmpfs /var/lib/chartserve; dpkg -P chartserve")
	m.wants(t, "systemctl --failed --no-legend", "")
}

// wants runs a script that has to print these lines.
func (m *machine) wants(t *testing.T, script string, lines ...string) {
	t.Helper()
	got := m.run(t, script)
	if want := strings.Join(append(slices.Clone(lines), ""), "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("%s:\n%s\nwant\n%s", script, got, want)
	}
}

// finds waits until Helm finds this version of nova as the newest.
func (m *machine) finds(t *testing.T, version string) {
	t.Helper()
	want := regexp.MustCompile(`\nlocal/nova\s+` + regexp.QuoteMeta(version) + `\s`)
	eventually(t, "nova "+version, func() bool {
		return want.MatchString(m.try("/mnt/helm repo update >/dev/null; /mnt/helm search repo nova"))
	})
}
