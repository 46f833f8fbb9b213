package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// pushable makes an archive of a chart with one template value, whose time is always the same:
// Helm writes it into the manifest.
func pushable(t *testing.T, h *client, dir, name, version, value string, args ...string) string {
	t.Helper()
	source := files{
		"Chart.yaml":  "apiVersion: v2\nname: " + name + "\nversion: " + version + "\ndescription: pushed\n",
		"values.yaml": "value: " + value + "\n",
	}.write(t, filepath.Join(t.TempDir(), name))
	path, r := h.pack(t, source, dir, args...)
	if path == "" {
		t.Fatal(r.all())
	}
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	must(t, os.Chtimes(path, then, then))
	return path
}

const provLayer = "application/vnd.cncf.helm.chart.provenance.v1.prov"

// tagOf is the tag of a version.
func tagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// pushes is `helm push` over plain HTTP.
func (c *client) pushes(t *testing.T, archive, to string, args ...string) result {
	t.Helper()
	return c.try(t, ".", append([]string{"push", archive, "oci://" + to, "--plain-http"}, args...)...)
}

// TestOCIPush: what Helm pushes is in the index and in the registry, byte for byte, once.
func TestOCIPush(t *testing.T) {
	for _, name := range helms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files{"src/live/Chart.yaml": "apiVersion: v2\nname: live\nversion: 1.0.0\n"}.write(t, t.TempDir())
			s := serve(t, dir, "--allow-upload", "src")
			h, at := helm(t, name), s.host(t)+"/charts"
			var digests []string
			for _, version := range []string{"1.0.0", "1.1.0-rc.1", "1.1.0+build.5"} {
				archive := pushable(t, h, dir, "web", version, "1")
				if r := h.pushes(t, archive, at); !r.ok() {
					t.Fatalf("push: exit %d\n%s", r.code, r.all())
				}
				e, ok := s.index(t)["web "+version]
				if bytes := read(t, archive); !ok || "sha256:"+e.Digest != digestOf(bytes) || read(t, filepath.Join(s.Repo, "web-"+version+".tgz")) != bytes {
					t.Fatalf("%s is in the index as %+v", version, e)
				}
				m := s.manifest(t, "charts/web", tagOf(version))
				if m.layer(chartLayer) != digestOf(read(t, archive)) || m.Annotations["org.opencontainers.image.created"] == "" {
					t.Errorf("the manifest is not what was pushed: %s", m.raw)
				}
				digests = append(digests, m.digest)
				pulled := h.pull(t, "oci://"+at+"/web", "--version", version, "--plain-http")
				if read(t, only(t, pulled)) != read(t, archive) {
					t.Error("pull: other bytes than were pushed")
				}
				if r := h.pushes(t, archive, at); !r.ok() {
					t.Errorf("push again: exit %d\n%s", r.code, r.all())
				}
				if got := s.manifest(t, "charts/web", tagOf(version)).digest; got != m.digest {
					t.Errorf("push again: %s is %s", version, got)
				}
			}
			if got := s.tags(t, "charts/web"); len(got) != 3 || !slices.Contains(got, "1.1.0_build.5") {
				t.Errorf("tags: %v", got)
			}
			h.run(t, ".", "repo", "add", "site", s.URL)
			if got := h.search(t, "site/web"); len(got) != 3 {
				t.Errorf("search: %v", got)
			}
			h.pull(t, "site/web", "--version", "1.1.0+build.5")
			s.storedOnce(t, digests)
			refusedPushes(t, s, h, dir)
		})
	}
}

// storedOnce checks that the archives of web are in .oci as links of those in the folder, and
// the manifests byte for byte.
func (s *server) storedOnce(t *testing.T, manifests []string) {
	t.Helper()
	for _, version := range []string{"1.0.0", "1.1.0-rc.1", "1.1.0+build.5"} {
		archive := filepath.Join(s.Repo, "web-"+version+".tgz")
		_, digest, _ := strings.Cut(digestOf(read(t, archive)), ":")
		blob, err := os.Stat(filepath.Join(s.Repo, ".oci/web/blobs/sha256", digest))
		must(t, err)
		if info, err := os.Stat(archive); err != nil || !os.SameFile(info, blob) {
			t.Errorf("%s is on disk twice: %v", version, err)
		}
	}
	for _, m := range manifests {
		_, digest, _ := strings.Cut(m, ":")
		if got := digestOf(read(t, filepath.Join(s.Repo, ".oci/web/blobs/sha256", digest))); got != m {
			t.Errorf("the manifest %s is kept as %s", m, got)
		}
	}
}

// refusedPushes are those that change nothing.
func refusedPushes(t *testing.T, s *server, h *client, dir string) {
	t.Helper()
	before, at := s.index(t), s.host(t)+"/charts"
	was := s.manifest(t, "charts/web", "1.0.0").digest
	for what, c := range map[string]struct {
		archive, to, why string
	}{
		"other bytes":    {pushable(t, h, t.TempDir(), "web", "1.0.0", "2"), at, "409"},
		"a source's":     {pushable(t, h, t.TempDir(), "live", "1.0.0", "2"), at, "409"},
		"no such upload": {filepath.Join(dir, "web-1.0.0.tgz"), s.host(t) + "/charts/UPPER", ""},
	} {
		if r := h.pushes(t, c.archive, c.to); r.ok() || !strings.Contains(r.all(), c.why) {
			t.Errorf("%s: exit %d\n%s", what, r.code, r.all())
		}
	}
	after := s.index(t)
	for id, e := range before {
		if after[id].Digest != e.Digest {
			t.Errorf("%s changed", id)
		}
	}
	if got := s.manifest(t, "charts/web", "1.0.0").digest; len(after) != len(before) || got != was {
		t.Errorf("the index has %d versions, web:1.0.0 is %s", len(after), got)
	}
}

// TestOCIPushProvenance: the .prov beside an archive is pushed with it, and verified by whoever
// reads it, from the registry and from the repository.
func TestOCIPushProvenance(t *testing.T) {
	for _, name := range helms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, k := t.TempDir(), newKeys(t, rsa)
			s := serve(t, dir, "--allow-upload")
			h := helm(t, name)
			archive := pushable(t, h, dir, "web", "1.0.0", "1", "--sign", "--key", "ann", "--keyring", k.secret)
			if r := h.pushes(t, archive, s.host(t)+"/charts"); !r.ok() {
				t.Fatal(r.all())
			}
			h.pull(t, "oci://"+s.host(t)+"/charts/web", "--plain-http", "--verify", "--keyring", k.public)
			h.run(t, ".", "repo", "add", "site", s.URL)
			h.pull(t, "site/web", "--verify", "--keyring", k.public)
			if m := s.manifest(t, "charts/web", "1.0.0"); m.layer(provLayer) != digestOf(read(t, archive+".prov")) {
				t.Errorf("the manifest: %s", m.raw)
			}
		})
	}
}

// TestOCIPushNotAllowed: without --allow-upload every client's push fails, and nothing is
// stored.
func TestOCIPushNotAllowed(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, dir)
	for _, name := range helms() {
		h := helm(t, name)
		if r := h.pushes(t, pushable(t, h, t.TempDir(), "web", "1.0.0", "1"), s.host(t)+"/charts"); r.ok() || !strings.Contains(r.all(), "405") {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.all())
		}
	}
	files{"hello.txt": "hello\n"}.write(t, dir)
	if r := tool(t, "oras").try(t, dir, "push", "--plain-http", s.host(t)+"/things/hello:1", "hello.txt"); r.ok() {
		t.Error("oras pushes")
	}
	if _, err := os.Stat(filepath.Join(s.Repo, ".oci")); !os.IsNotExist(err) {
		t.Errorf("there is a .oci: %v", err)
	}
	if a := s.ask(t, http.MethodPost, "/v2/charts/web/blobs/uploads/"); a.status != http.StatusMethodNotAllowed || !strings.Contains(a.body, "UNSUPPORTED") {
		t.Errorf("POST: %d %s", a.status, a.body)
	}
}

// TestOCIPushedIsDeleted: a version that was pushed goes by the API and by the registry's
// clients alike, for all of them.
func TestOCIPushedIsDeleted(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, "--allow-upload")
	h, host := helm(t, "helm4"), s.host(t)
	at := host + "/charts/web"
	deletes := map[string]func(tag string) result{
		"API": func(tag string) result {
			a := s.ask(t, http.MethodDelete, "/api/charts/web/"+tag)
			return result{stdout: a.body, code: a.status / 300}
		},
		"crane": func(tag string) result { return tool(t, "crane").try(t, ".", "delete", at+":"+tag) },
		"oras": func(tag string) result {
			return tool(t, "oras").try(t, ".", "manifest", "delete", "--plain-http", "-f", at+":"+tag)
		},
		"regctl": func(tag string) result {
			return plainRegctl(t, host).try(t, ".", "tag", "rm", at+":"+tag)
		},
		"skopeo": func(tag string) result {
			return tool(t, "skopeo").try(t, ".", "delete", "--tls-verify=false", "docker://"+at+":"+tag)
		},
	}
	i := 0
	for what, del := range deletes {
		i++
		tag := "1." + string(rune('0'+i)) + ".0"
		if r := h.pushes(t, pushable(t, h, dir, "web", tag, what), host+"/charts"); !r.ok() {
			t.Fatal(r.all())
		}
		if r := del(tag); !r.ok() {
			t.Errorf("%s: exit %d\n%s", what, r.code, r.all())
		}
		if e := s.index(t)["web "+tag]; e.Digest != "" {
			t.Errorf("%s: it is in the index still", what)
		}
		if a := s.ask(t, http.MethodGet, "/v2/charts/web/manifests/"+tag); a.status != http.StatusNotFound {
			t.Errorf("%s: the tag answers %d", what, a.status)
		}
	}
}

// TestOCINamedRepositories: each repository of a server has its own charts, by its name before
// the chart's, and a push makes one.
func TestOCINamedRepositories(t *testing.T) {
	tree := files{
		"a/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n",
		"b/heat/Chart.yaml": "apiVersion: v1\nname: heat\nversion: 1.0.0\n",
	}.write(t, t.TempDir())
	s := serve(t, tree, "--repository", "org/one=a", "--repository", "two=b", "--allow-upload", "--depth", "1")
	for _, name := range helms() {
		h, host := helm(t, name), s.host(t)
		for at, there := range map[string]bool{
			"/charts/org/one/nova": true, "/org/one/nova": true, "/charts/two/heat": true, "/two/heat": true,
			"/charts/org/one/heat": false, "/charts/two/nova": false, "/charts/nova": false, "/charts/org/nova": false,
		} {
			if r := h.try(t, t.TempDir(), "pull", "oci://"+host+at, "--plain-http"); r.ok() != there {
				t.Errorf("%s: pull %s: exit %d\n%s", name, at, r.code, r.all())
			}
		}
		made := "made-" + name
		if r := h.pushes(t, pushable(t, h, t.TempDir(), "web", "1.0.0", "1"), host+"/charts/"+made); !r.ok() {
			t.Fatalf("%s: push: %s", name, r.all())
		}
		h.run(t, ".", "repo", "add", "made", s.URL+"/"+made)
		h.pull(t, "made/web")
		h.pull(t, "oci://"+host+"/"+made+"/web", "--plain-http")
		if _, err := os.Stat(filepath.Join(s.Repo, made, "web-1.0.0.tgz")); err != nil {
			t.Error(err)
		}
	}
	catalog := lines(tool(t, "crane").run(t, ".", "catalog", s.host(t)))
	want := []string{"charts/made-helm3/web", "charts/made-helm4/web", "charts/org/one/nova", "charts/two/heat"}
	if !slices.Equal(catalog, want) {
		t.Errorf("crane catalog: got %v, want %v", catalog, want)
	}
}
