package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// guarded lets in who sends reader's password, as registries and repositories demand it.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "reader" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// elsewhere is a repository and a registry with the same charts, both behind a password.
type elsewhere struct {
	t        *testing.T
	helm     *client
	folder   string
	web, oci string
	newer    int // versions that came after a lock
}

func newElsewhere(t *testing.T, h *client) *elsewhere {
	e := &elsewhere{t: t, helm: h, folder: t.TempDir()}
	web := httptest.NewServer(guarded(http.FileServer(http.Dir(e.folder))))
	t.Cleanup(web.Close)
	registry := httptest.NewServer(guarded(ociserver.New(ocimem.New(), nil)))
	t.Cleanup(registry.Close)
	e.web, e.oci = web.URL, strings.Replace(registry.URL, "http://", "oci://", 1)+"/charts"
	return e
}

// publish adds versions of a chart, with Helm's own commands.
func (e *elsewhere) publish(name string, versions ...string) {
	e.t.Helper()
	for _, v := range versions {
		dir := toolkitChart.with(files{"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: " + v + "\n"}).write(e.t, filepath.Join(e.t.TempDir(), name))
		path, r := e.helm.pack(e.t, dir, e.folder)
		if !r.ok() {
			e.t.Fatal(r.all())
		}
		e.helm.run(e.t, e.folder, "push", path, e.oci, "--plain-http", "--username", "reader", "--password", "s3cret")
	}
	e.helm.run(e.t, e.folder, "repo", "index", ".")
}

// TestFetchedDependencies: --fetch-dependencies takes the versions that helm dependency
// update takes, and by a lock those that helm dependency build takes, byte for byte, from
// repositories and from registries that ask for a password.
func TestFetchedDependencies(t *testing.T) {
	for _, name := range []string{"helm3", "helm4"} {
		t.Run(name, func(t *testing.T) {
			h := helm(t, name)
			e := newElsewhere(t, h)
			all := []string{"0.9.0", "1.0.0", "1.2.0", "1.2.3", "2.0.0-rc.1"}
			for _, chart := range []string{"caret", "exact", "pre", "tilde", "any"} {
				e.publish(chart, all...)
			}
			e.publish("build", "1.0.0+b1")
			h.run(t, ".", "repo", "add", "far", e.web, "--username", "reader", "--password", "s3cret")
			for kind, repository := range map[string]string{"web": e.web, "oci": e.oci} {
				for _, api := range []string{"v1", "v2"} {
					t.Run(kind+" "+api, func(t *testing.T) { e.compare(t, api, repository) })
				}
			}
		})
	}
}

// compare builds a chart of that apiVersion with dependencies in repository, and has Helm
// get the same.
func (e *elsewhere) compare(t *testing.T, api, repository string) {
	constraints := map[string]string{"caret": "^1.0.0", "exact": "1.0.0", "pre": ">=1.0.0-0", "tilde": "~1.2.0", "any": "*", "build": "1.0.0+b1"}
	list := "dependencies:\n"
	for _, name := range []string{"any", "build", "caret", "exact", "pre", "tilde"} {
		list += "- {name: " + name + ", version: \"" + constraints[name] + "\", repository: \"" + repository + "\"}\n"
	}
	app, lockName := files{"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n" + list}, "Chart.lock"
	if api == "v1" {
		app, lockName = files{"Chart.yaml": "apiVersion: v1\nname: app\nversion: 1.0.0\n", "requirements.yaml": list}, "requirements.lock"
	}
	site := t.TempDir()
	chart := app.write(t, filepath.Join(site, "app"))
	theirs := app.write(t, t.TempDir())
	login := []string{"--plain-http", "--username", "reader", "--password", "s3cret"}
	e.helm.run(t, theirs, append([]string{"dependency", "update", "."}, login...)...)
	sameDownloads(t, "without a lock", fetchedBy(t, e, site, repository), filepath.Join(theirs, "charts"))

	// The lock of that day binds, though newer versions have come.
	lock := read(t, filepath.Join(theirs, lockName))
	e.newer++
	for _, name := range []string{"caret", "tilde"} {
		e.publish(name, fmt.Sprintf("1.2.%d", 3+e.newer))
	}
	files{lockName: lock}.write(t, chart)
	must(t, os.RemoveAll(filepath.Join(theirs, "charts")))
	e.helm.run(t, ".", "repo", "update")
	e.helm.run(t, theirs, append([]string{"dependency", "build", "."}, login...)...)
	sameDownloads(t, "by the lock", fetchedBy(t, e, site, repository), filepath.Join(theirs, "charts"))
}

// fetchedBy builds the charts of site anew, and returns where the downloads are.
func fetchedBy(t *testing.T, e *elsewhere, site, repository string) string {
	t.Helper()
	folder := t.TempDir()
	password := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(password, []byte("s3cret\n"), 0o600))
	args := []string{"build", ".", "--strict", "--repo-path", folder, "--fetch-dependencies", "--plain-http", "--username", "reader", "--password-file", password}
	if r := serveTool(t, site, append(args, "--credentials-for", repository)...); !r.ok() {
		t.Fatal(r.all())
	}
	return filepath.Join(folder, ".fetched")
}

// sameDownloads compares the archives in the folders of ours with those of theirs.
func sameDownloads(t *testing.T, what, ours, theirs string) {
	t.Helper()
	got, want := map[string]string{}, map[string]string{}
	for glob, list := range map[string]map[string]string{filepath.Join(ours, "*", "*.tgz"): got, filepath.Join(theirs, "*.tgz"): want} {
		paths, err := filepath.Glob(glob)
		must(t, err)
		for _, p := range paths {
			list[filepath.Base(p)] = read(t, p)
		}
	}
	if len(want) != 6 {
		t.Fatalf("%s: Helm has %d archives, want 6", what, len(want))
	}
	for name, data := range want {
		switch other, ok := got[name]; {
		case !ok:
			t.Errorf("%s: Helm takes %s, which is not among ours", what, name)
		case other != data:
			t.Errorf("%s: %s has other bytes than Helm's", what, name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: ours are %d, Helm's %d", what, len(got), len(want))
	}
}
