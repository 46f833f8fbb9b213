package e2e

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The site serves under the URL that `helm serve` had, which charts built for it
// name. What the charts of others name is outside.
const (
	siteAddress = "localhost:8879"
	siteURL     = "http://" + siteAddress + "/charts"
	outside     = "https://charts.example.com/stable"
)

// Where the test that plays the site finds its media, and the server that must be
// out of its reach.
const (
	mediaVariable    = "AIRGAP_MEDIA"
	upstreamVariable = "AIRGAP_UPSTREAM"
)

// TestAirGapSite carries charts from an upstream to a site: mirrored and bundled
// here, then verified, loaded, served and installed by this test run once more, in a
// network namespace that has nothing but its loopback interface.
func TestAirGapSite(t *testing.T) {
	if media := os.Getenv(mediaVariable); media != "" {
		atSite(t, media)
		return
	}
	enter := namespace(t)
	sources := samples(t)
	dependent("foreign").write(t, filepath.Join(sources, "foreign"))
	up := serve(t, sources, ".")
	media := t.TempDir()
	carry(t, up, media)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), enter[0], append(enter[1:], self, "-test.run=^TestAirGapSite$", "-test.v", "-test.timeout=5m")...)
	cmd.Env = append(os.Environ(), "CHARTSERVE="+program(t), mediaVariable+"="+media, upstreamVariable+"="+up.URL)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("at the site: %v\n%s", err, out)
	} else if !strings.Contains(string(out), "--- PASS: TestAirGapSite/") {
		t.Errorf("nothing was tested at the site:\n%s", out)
	}
}

// namespace is the command before a command that runs it in a network namespace
// with a loopback interface alone.
func namespace(t *testing.T) []string {
	t.Helper()
	enter := []string{"unshare", "--net"}
	if os.Getuid() != 0 {
		enter = append(enter, "--map-root-user")
	}
	enter = append(enter, "sh", "-c", `ip link set lo up && exec "$0" "$@"`)
	if out, err := exec.Command(enter[0], append(enter[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("SKIP: no network namespace can be made here (it takes Linux, unshare, ip, and root or user namespaces): %v: %s", err, out)
	}
	return enter
}

// dependent is a chart with a dependency on the outside repository, which it
// contains.
func dependent(name string) files {
	c := files{
		"Chart.yaml":               "apiVersion: v1\nname: " + name + "\nversion: 1.0.0\n",
		"requirements.yaml":        "dependencies:\n  - name: toolkit\n    repository: " + outside + "\n    version: 0.1.0\n",
		"templates/configmap.yaml": shopChart["templates/configmap.yaml"],
	}
	for file, body := range toolkitChart {
		c["charts/toolkit/"+file] = body
	}
	return c
}

// carry is the mirror host: charts of the upstream, and the one that is built here
// for the site, as a bundle; the rest as a delta in parts. All of it is in media,
// where want is what the site should have in the end.
func carry(t *testing.T, up *server, media string) {
	t.Helper()
	built, host := filepath.Join(t.TempDir(), "built"), filepath.Join(media, "want")
	gap(t, 0, "build", "--strict", "--repo-path", built, "--rewrite-repository", outside+"="+siteURL, dependent("own").write(t, filepath.Join(t.TempDir(), "own")))
	gap(t, 0, "mirror", up.URL, built, "--exclude", "web", "--repo-path", host)
	gap(t, 0, "bundle", "create", "-o", filepath.Join(media, "first.tar"), "--repo-path", host)
	gap(t, 0, "mirror", up.URL, "--devel", "--repo-path", host)
	gap(t, 0, "bundle", "create", "-o", filepath.Join(media, "second.tar"), "--repo-path", host,
		"--base", filepath.Join(media, "first.tar.manifest"), "--split", "4KiB")
}

// atSite is what happens behind the gap.
func atSite(t *testing.T, media string) {
	noWayOut(t)
	site := filepath.Join(t.TempDir(), "site")
	first := filepath.Join(media, "first.tar")
	parts, err := filepath.Glob(filepath.Join(media, "second.tar.0*"))
	must(t, err)
	if len(parts) < 2 {
		t.Fatalf("parts: %q, want two at least", parts)
	}
	gap(t, 0, "bundle", "verify", first)
	wantWords(t, "a delta without its base", gap(t, 1, "bundle", "load", parts[0], "--repo-path", site), "base")
	holds(t, site, files{})
	gap(t, 0, "bundle", "load", first, "--repo-path", site)
	s := serve(t, ".", "--address", siteAddress, "--repo-path", site)
	gap(t, 0, append([]string{"bundle", "verify", "--base", site}, parts...)...)
	slices.Reverse(parts)
	wantWords(t, "a part is missing", gap(t, 1, "bundle", "load", alone(t, parts[1]), "--repo-path", site), "second.tar.001")
	if _, there := s.index(t)["web 1.2.0"]; there {
		t.Error("a part of a bundle was loaded")
	}
	gap(t, 0, append([]string{"bundle", "load", "--repo-path", site}, parts...)...)
	want := filepath.Join(media, "want")
	holds(t, site, archives(t, want))
	if diff := cmp.Diff(indexOf(t, want), s.index(t)); diff != "" {
		t.Errorf("served (-mirror host +site):\n%s", diff)
	}
	t.Run("verify", func(t *testing.T) { nothingOutside(t, s) })
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &session{client: helm(t, name), server: s, url: siteURL}
			x.rewritten(t)
			x.play(t, true)
		})
	}
}

// noWayOut shows that this is the site: it has one interface, and neither the
// upstream nor anything else can be reached.
func noWayOut(t *testing.T) {
	t.Helper()
	list, err := net.Interfaces()
	must(t, err)
	for _, i := range list {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			t.Fatalf("the site has the interface %s", i.Name)
		}
	}
	if resp, err := http.Get(os.Getenv(upstreamVariable)); err == nil {
		resp.Body.Close()
		t.Fatal("the upstream can be reached from the site")
	}
	if c, err := net.DialTimeout("tcp", "192.0.2.1:80", 5*time.Second); err == nil || !errors.Is(err, syscall.ENETUNREACH) {
		t.Fatalf("a connection to the outside: %v, %v, want no route", c, err)
	}
}

// alone copies a file to where its neighbours are not.
func alone(t *testing.T, path string) string {
	t.Helper()
	name := filepath.Base(path)
	return filepath.Join(files{name: read(t, path)}.write(t, t.TempDir()), name)
}

// nothingOutside verifies the site: what was built for it is clean, what was copied
// names an outside repository, and an index that leads outside is found.
func nothingOutside(t *testing.T, s *server) {
	offline := []string{"verify", "--offline", "--repo-path", s.Repo}
	out := gap(t, 0, offline...) // warnings
	gap(t, 1, append(offline, "--strict")...)
	wantWords(t, "verify --offline", out, "foreign-1.0.0.tgz", "requirements.yaml", outside[:len("https://charts.example.com")])
	if strings.Contains(out, "own-1.0.0.tgz") {
		t.Errorf("what was built for the site has a finding:\n%s", out)
	}
	allow := []string{"--allow-host", "charts.example.com"}
	gap(t, 0, append(offline, allow...)...)
	gap(t, 0, append([]string{"verify", "--offline", s.URL}, allow...)...)

	elsewhere := archives(t, s.Repo).write(t, t.TempDir())
	gap(t, 0, "index", elsewhere, "--url", "https://elsewhere.example.com/charts")
	out = gap(t, 1, append([]string{"verify", "--offline", "--repo-path", elsewhere}, allow...)...)
	wantWords(t, "an index that leads outside", out, "error: index.yaml", "https://elsewhere.example.com")
}

// rewritten resolves the dependencies of the chart that was built for the site anew:
// they are there.
func (x *session) rewritten(t *testing.T) {
	t.Helper()
	x.run(t, ".", "repo", "add", "ours", x.url)
	dir := filepath.Join(x.pull(t, "ours/own", "--untar"), "own")
	if got := x.template(t, dir); !strings.Contains(got, `from-toolkit: "yes"`) {
		t.Errorf("template: got %q", got)
	}
	must(t, os.RemoveAll(filepath.Join(dir, "charts")))
	x.run(t, ".", "dependency", "update", dir)
	if got, want := read(t, filepath.Join(dir, "charts", "toolkit-0.1.0.tgz")), read(t, filepath.Join(x.server.Repo, "toolkit-0.1.0.tgz")); got != want {
		t.Error("dependency update: another toolkit than the site's")
	}
	if got := x.template(t, dir); !strings.Contains(got, `from-toolkit: "yes"`) {
		t.Errorf("template after dependency update: got %q", got)
	}

	// As it came from elsewhere, a chart renders, but can't be updated here.
	foreign := filepath.Join(x.pull(t, "ours/foreign", "--untar"), "foreign")
	if got := x.template(t, foreign); !strings.Contains(got, `from-toolkit: "yes"`) {
		t.Errorf("template of a copied chart: got %q", got)
	}
	if r := x.try(t, ".", "dependency", "update", foreign); r.ok() {
		t.Errorf("dependency update found the outside:\n%s", r.all())
	}
}
