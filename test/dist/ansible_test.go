//go:build linux

package dist

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// site boots a machine with the role, a helm and the charts of a site, in root's home directory.
func site(t *testing.T) *machine {
	t.Helper()
	helm2, helm3 := tool(t, "helm2"), tool(t, "helm3")
	m := start(t, ".debian", ".debian-tools")
	m.put(t, helm2, "helm2")
	m.put(t, helm3, "helm")
	out, err := exec.Command("cp", "-rL", "../../ansible", m.share).CombinedOutput()
	if err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	m.run(t, `ln -s /mnt/helm /mnt/helm2 /usr/local/bin/
		/mnt/helm2 init --client-only --skip-refresh --stable-repo-url http://localhost/stable
		ip address add 192.0.2.10/24 dev lo
		ip route add default dev lo src 192.0.2.10
		for name in taco-helm-charts/nova taco-addons/grafana; do
			mkdir -p ~/tacoplay/charts/$name
			printf 'apiVersion: v2\nname: %s\nversion: 1.0.0\n' ${name#*/} >~/tacoplay/charts/$name/Chart.yaml
		done
		cat >~/site.yml <<END
- hosts: localhost
  gather_subset: ["!all", "!min", network] # the role needs no others, and these are quick
  roles:
    - role: chartserve
      source_chart_list: [taco-helm-charts/*, taco-addons/*]
      chartserve_helm_clients: [/usr/local/bin/helm, /usr/local/bin/helm2, /usr/local/bin/helm4]
END`)
	return m
}

// playbook runs the role, on the machine itself.
const playbook = "cd; ANSIBLE_PIPELINING=1 ANSIBLE_ROLES_PATH=/mnt/ansible/roles ansible-playbook site.yml "

// recap finds how many tasks changed something.
var recap = regexp.MustCompile(`localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 `)

// play runs the role, and returns how many tasks changed something.
func (m *machine) play(t *testing.T, arguments string) int {
	t.Helper()
	out := m.run(t, playbook+arguments)
	changed := recap.FindStringSubmatch(out)
	if changed == nil {
		t.Fatalf("no recap in\n%s", out)
	}
	n, err := strconv.Atoi(changed[1])
	must(t, err)
	return n
}

// The role installs from each kind of file, does nothing when it only checks, and has nothing
// to do when it runs again.
func TestRole(t *testing.T) {
	deb, tarball, binary := made(t, "packages", "chartserve_*_"+runtime.GOARCH+".deb"),
		made(t, "archives", "chartserve_*_linux_"+runtime.GOARCH+".tar.gz"), program(t)
	m := site(t)
	from := func(path string) string {
		return "-e chartserve_install_from=" + m.put(t, path, filepath.Base(path))
	}
	m.play(t, "--check "+from(deb))
	m.wants(t, "ls /usr/bin/chartserve /etc/chartserve 2>/dev/null || true", "")
	if out := m.try(playbook + `-e '{"source_chart_base_dir": "/srv"}'`); !strings.Contains(out, "There is no /srv/taco-helm-charts/: correct source_chart_base_dir") {
		t.Errorf("without the folders of charts it says\n%s", out)
	}
	for _, path := range []string{deb, tarball} {
		m.serves(t, path, m.play(t, from(path)))
		if n := m.play(t, from(path)); n != 0 {
			t.Errorf("%s: run again, it changes %d", path, n)
		}
		m.run(t, "if [ ! -L /usr/bin/chartserve ]; then dpkg -P chartserve; rm -r /var/lib/chartserve; fi")
	}
	m.serves(t, binary, m.play(t, from(binary)))
}

// serves checks what the role left, after a play that changed something.
func (m *machine) serves(t *testing.T, path string, changed int) {
	t.Helper()
	m.wants(t, "stat -c '%a %U %G' /etc/chartserve/chartserve.yaml", "640 root chartserve\n")
	if changed == 0 {
		t.Errorf("%s: the first time it changes nothing", path)
	}
	m.wants(t, "/mnt/helm repo list | tail -n 1 | tr -s ' \t' ' '", "taco-helm-repository http://192.0.2.10:8879/charts ")
	found := m.run(t, "/mnt/helm2 search grafana; /mnt/helm search repo nova; readlink -f /usr/bin/chartserve /proc/$(systemctl show -P MainPID chartserve)/exe | uniq | wc -l")
	for _, want := range []string{"taco-helm-repository/nova", "taco-helm-repository/grafana", "\n1\n"} {
		if !strings.Contains(found, want) {
			t.Errorf("%s: no %q in\n%s", path, want, found)
		}
	}
}
