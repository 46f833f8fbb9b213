//go:build linux

package dist

import (
	"runtime"
	"testing"
)

// The deb's man pages are found, lead to each other, and have no fault that man-db or mandoc
// knows.
func TestManual(t *testing.T) {
	deb := made(t, "packages", "chartserve_*_"+runtime.GOARCH+".deb")
	m := start(t, ".debian", ".debian-tools")
	m.put(t, deb, "chartserve.deb")
	m.run(t, "dpkg -i /mnt/chartserve.deb; mandb --quiet; mkdir /tmp/man")
	m.wants(t, "whatis --long chartserve chartserve.yaml",
		"chartserve (1)       - Keep a Helm chart repository equal to chart source directories, and serve it",
		"chartserve.yaml (5)  - The keys of a settings file")
	m.wants(t, "man chartserve-serve | grep -c -e '^ *--htpasswd FILE$'", "1")
	m.wants(t, `for page in /usr/share/man/man?/chartserve*; do
		name=$(basename $page .gz)
		zcat $page >/tmp/man/$name
		man --warnings --local-file /tmp/man/$name 2>&1 >/dev/null
		mandoc -T lint -W warning /tmp/man/$name
		man --local-file /tmp/man/$name | grep -o 'chartserve[a-z.-]*([157])' || true
	done | sort -u | while IFS='()' read -r name section rest; do
		man --where $section $name >/dev/null || echo "$name"
	done`, "")
	m.wants(t, "systemd-analyze verify /usr/lib/systemd/system/chartserve.*", "")
	m.wants(t, "bash -n /usr/share/bash-completion/completions/chartserve", "")
}
