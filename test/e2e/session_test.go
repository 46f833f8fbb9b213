package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSessions plays what people do with a repository, with each client, by each
// name of the local host, with and without a slash at the end of the URL. All of
// it by one URL; by the others what the URL can make a difference to.
func TestSessions(t *testing.T) {
	s := serve(t, samples(t), ".")
	hosts := map[string]string{"localhost": "localhost", "IPv4": "127.0.0.1", "IPv6": "::1"}
	for host, address := range hosts {
		for name, slash := range map[string]string{"": "", " with a slash": "/"} {
			for _, c := range clients() {
				t.Run(c+" by "+host+name, func(t *testing.T) {
					t.Parallel()
					if host == "IPv6" && !hasIPv6() {
						t.Skip("this machine has no ::1")
					}
					x := &session{client: helm(t, c), server: s, url: s.at(t, address) + slash}
					x.play(t, host == "localhost" && slash == "")
				})
			}
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// session is one client on one URL of the repository.
type session struct {
	*client
	server *server
	url    string
}

func (x *session) play(t *testing.T, all bool) {
	x.run(t, ".", "repo", "add", "ours", x.url)
	x.run(t, ".", "repo", "update")
	x.searches(t)
	if all {
		x.pulls(t)
		x.shows(t)
	} else {
		only(t, x.pull(t, "ours/web", "--version", "1.1.0+build.5"))
	}
	x.updates(t)
	x.run(t, ".", "repo", "remove", "ours")
	if r := x.try(t, ".", "repo", "list"); strings.Contains(r.stdout, "ours") {
		t.Errorf("repo list after repo remove:\n%s", r.stdout)
	}
}

func (x *session) searches(t *testing.T) {
	var want []found
	for _, version := range webVersions {
		want = append(want, found{"ours/web", version, "7.1"})
	}
	if diff := cmp.Diff(want, x.search(t, "ours/web")); diff != "" {
		t.Errorf("search ours/web (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]found{{"ours/modern", "2.0.0", "1.10.0"}}, x.search(t, "ours/modern")); diff != "" {
		t.Errorf("search ours/modern (-want +got):\n%s", diff)
	}
}

// pulls downloads by every way to name a version, and checks the bytes against
// the digest in the index.
func (x *session) pulls(t *testing.T) {
	index := x.server.index(t)
	cases := map[string]struct {
		args []string
		want string
	}{
		"newest":           {nil, "1.2.0"},
		"exact":            {[]string{"--version", "1.0.0"}, "1.0.0"},
		"constraint":       {[]string{"--version", "~1.0"}, "1.0.0"},
		"one build":        {[]string{"--version", "1.1.0+build.5"}, "1.1.0+build.5"},
		"the other build":  {[]string{"--version", "1.1.0+build.6"}, "1.1.0+build.6"},
		"prerelease":       {[]string{"--version", "2.0.0-rc.1"}, "2.0.0-rc.1"},
		"newest with them": {[]string{"--devel"}, "2.0.0-rc.1"},
	}
	for name, c := range cases {
		path := only(t, x.pull(t, append([]string{"ours/web"}, c.args...)...))
		if got, want := filepath.Base(path), "web-"+c.want+".tgz"; got != want {
			t.Errorf("pull %s: got %s, want %s", name, got, want)
		}
		sum := sha256.Sum256([]byte(read(t, path)))
		if got, want := hex.EncodeToString(sum[:]), index["web "+c.want].Digest; got != want {
			t.Errorf("pull %s: got digest %s, the index says %s", name, got, want)
		}
	}
	dir := x.pull(t, "ours/web", "--untar")
	if got := read(t, filepath.Join(dir, "web", "README.md")); got != webChart["README.md"] {
		t.Errorf("pull --untar: README.md is %q", got)
	}
	if got := read(t, filepath.Join(dir, "web", "Chart.yaml")); got != webChart["Chart.yaml"] {
		t.Errorf("pull --untar: Chart.yaml is %q, want it as in the source", got)
	}
}

func (x *session) shows(t *testing.T) {
	for part, want := range map[string]string{"chart": "version: 1.2.0", "values": "replicas: 3", "readme": "Serves pages."} {
		if got := x.show(t, part, "ours/web"); !strings.Contains(got, want) {
			t.Errorf("show %s: got %q, want %q in it", part, got, want)
		}
	}
	if got := x.show(t, "chart", "ours/web", "--version", "1.1.0+build.5"); !strings.Contains(got, "version: 1.1.0+build.5") {
		t.Errorf("show chart of one build: got %q", got)
	}
	if got := x.template(t, only(t, x.pull(t, "ours/web"))); !strings.Contains(got, `replicas: "3"`) {
		t.Errorf("template of a pulled chart: got %q", got)
	}
	if got := x.template(t, only(t, x.pull(t, "ours/shop"))); !strings.Contains(got, `from-toolkit: "yes"`) {
		t.Errorf("template of a pulled chart that has toolkit inside: got %q", got)
	}
	if x.major > 2 {
		if got := x.run(t, ".", "template", "x", "ours/web", "--version", "1.0.0"); !strings.Contains(got, `version: "1.0.0"`) {
			t.Errorf("template by repository name: got %q", got)
		}
	}
}

// updates resolves a dependency on a chart of ours, by URL and by alias, with a
// lock and without.
func (x *session) updates(t *testing.T) {
	needs := func(repository string) string {
		return "dependencies:\n  - name: toolkit\n    version: \">= 0.1.0\"\n    repository: \"" + repository + "\"\n"
	}
	charts := map[string]files{
		"by URL, v1":   shopChart.with(files{"requirements.yaml": needs(x.url)}),
		"by alias, v1": shopChart.with(files{"requirements.yaml": needs("@ours")}),
	}
	if x.major > 2 {
		v2 := files{"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 3.0.0\n" + needs(x.url), "templates/configmap.yaml": shopChart["templates/configmap.yaml"]}
		charts["by URL, v2"] = v2
	}
	for name, chart := range charts {
		dir := chart.write(t, t.TempDir())
		x.run(t, ".", "dependency", "update", dir)
		const library = "charts/toolkit-0.1.0.tgz"
		first := read(t, filepath.Join(dir, filepath.FromSlash(library)))
		if got := x.template(t, dir); !strings.Contains(got, `from-toolkit: "yes"`) {
			t.Errorf("dependency update %s: template gives %q", name, got)
		}
		x.run(t, ".", "dependency", "build", dir)
		if read(t, filepath.Join(dir, filepath.FromSlash(library))) != first {
			t.Errorf("dependency build %s: another toolkit than dependency update got", name)
		}
	}
}
