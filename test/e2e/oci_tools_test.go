package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plainRegctl is regctl that speaks plain HTTP to host.
func plainRegctl(t *testing.T, host string) *client {
	t.Helper()
	c := tool(t, "regctl")
	c.run(t, ".", "registry", "set", host, "--tls=disabled")
	return c
}

// lines are the lines of a command's output.
func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// holdsAll reports whether what has each of these.
func holdsAll(what []string, these ...string) bool {
	return !slices.ContainsFunc(these, func(one string) bool { return !slices.Contains(what, one) })
}

// TestOCICrane: crane lists, reads, copies and deletes.
func TestOCICrane(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	c, host := tool(t, "crane"), s.host(t)
	web := host + "/charts/web"
	if got := lines(c.run(t, ".", "catalog", host)); !slices.Equal(got, []string{"charts/modern", "charts/shop", "charts/toolkit", "charts/web"}) {
		t.Errorf("catalog: %v", got)
	}
	if got := lines(c.run(t, ".", "ls", web)); !slices.Equal(slices.Sorted(slices.Values(got)), webTags) {
		t.Errorf("ls: %v", got)
	}
	m := s.manifest(t, "charts/web", "1.0.0")
	if got := c.run(t, ".", "manifest", web+":1.0.0"); strings.TrimSpace(got) != m.raw {
		t.Errorf("manifest: %s", got)
	}
	if got := strings.TrimSpace(c.run(t, ".", "digest", web+":1.0.0")); got != m.digest {
		t.Errorf("digest: %s", got)
	}
	if got := c.run(t, ".", "config", web+":1.0.0"); digestOf(strings.TrimSuffix(got, "\n")) != m.Config.Digest {
		t.Errorf("config: %s", got)
	}
	archive := read(t, filepath.Join(s.Repo, "web-1.0.0.tgz"))
	if got := c.run(t, ".", "blob", web+"@"+m.layer(chartLayer)); got != archive {
		t.Error("blob: other bytes")
	}
	c.run(t, ".", "validate", "--remote", web+":1.0.0", "--fast")

	c.run(t, ".", "copy", web+":1.0.0", host+"/copies/web:1.0.0")
	if got := s.manifest(t, "copies/web", "1.0.0"); got.raw != m.raw {
		t.Errorf("the copy is %s", got.raw)
	}
	c.run(t, ".", "tag", host+"/copies/web:1.0.0", "one")
	if got := lines(c.run(t, ".", "ls", host+"/copies/web")); !slices.Equal(got, []string{"1.0.0", "one"}) {
		t.Errorf("ls of the copy: %v", got)
	}
	layer := tgz(t, file("hello.txt", "hello\n"))
	dir := files{"layer.tgz": string(layer)}.write(t, t.TempDir())
	c.run(t, dir, "append", "-f", "layer.tgz", "-t", host+"/library/hello:1")
	c.run(t, ".", "validate", "--remote", host+"/library/hello:1")
	c.run(t, dir, "pull", host+"/library/hello:1", "hello.tar")
	c.run(t, dir, "push", "hello.tar", host+"/library/again:1")
	c.run(t, ".", "delete", host+"/copies/web:one")
	if got := s.tags(t, "copies/web"); !slices.Equal(got, []string{"1.0.0"}) {
		t.Errorf("after delete: %v", got)
	}
	// What a source holds is changed there.
	if r := c.try(t, ".", "delete", web+":1.2.0"); r.ok() {
		t.Error("the version of a source was deleted")
	}
	if n := len(s.index(t)); n != len(webVersions)+3 {
		t.Errorf("%d versions are in the index", n)
	}
	for _, name := range helms() {
		helm(t, name).pull(t, "oci://"+host+"/copies/web", "--plain-http")
	}
}

// TestOCIOras: oras pushes what is no chart, attaches, discovers, copies and deletes.
func TestOCIOras(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	c, host := tool(t, "oras"), s.host(t)
	plain := func(args ...string) string { t.Helper(); return c.run(t, ".", append(args, "--plain-http")...) }
	dir := files{"hello.txt": "hello\n", "sbom.json": "{}\n"}.write(t, t.TempDir())
	c.run(t, dir, "push", "--plain-http", host+"/things/hello:1,latest", "hello.txt", "--artifact-type", "application/x.hello")
	into := t.TempDir()
	plain("pull", host+"/things/hello:latest", "-o", into)
	if got := read(t, filepath.Join(into, "hello.txt")); got != "hello\n" {
		t.Errorf("pull: %q", got)
	}
	// Something attached to what was pushed, and to a chart that nobody pushed.
	for _, subject := range []string{"/things/hello:1", "/charts/web:1.2.0"} {
		c.run(t, dir, "attach", "--plain-http", "--artifact-type", "application/x.sbom", host+subject, "sbom.json")
		var tree struct{ Referrers []descriptor }
		if err := json.Unmarshal([]byte(plain("discover", host+subject, "--format", "json")), &tree); err != nil || len(tree.Referrers) != 1 || tree.Referrers[0].ArtifactType != "application/x.sbom" {
			t.Errorf("discover %s: %+v, %v", subject, tree, err)
		}
	}
	if got := s.tags(t, "charts/web"); !holdsAll(webTags, got...) {
		t.Errorf("attaching made a tag: %v", got)
	}
	if got := lines(plain("repo", "ls", host)); !holdsAll(got, "charts/web", "things/hello") {
		t.Errorf("repo ls: %v", got)
	}
	if got := lines(plain("repo", "tags", host+"/things/hello")); !slices.Equal(got, []string{"1", "latest"}) {
		t.Errorf("repo tags: %v", got)
	}
	c.run(t, ".", "cp", "-r", "--from-plain-http", "--to-plain-http", host+"/things/hello:1", host+"/copies/hello:1")
	if got := plain("discover", host+"/copies/hello:1"); !strings.Contains(got, "application/x.sbom") {
		t.Errorf("discover after cp -r: %s", got)
	}
	c.run(t, ".", "cp", "--from-plain-http", "--to-plain-http", host+"/charts/web:1.0.0", host+"/copies/chart:1")
	if got, want := s.manifest(t, "copies/chart", "1").raw, s.manifest(t, "charts/web", "1.0.0").raw; got != want {
		t.Errorf("cp: %s", got)
	}
	plain("manifest", "fetch-config", host+"/charts/web:1.0.0")
	plain("manifest", "delete", "-f", host+"/things/hello:1")
	if a := s.ask(t, http.MethodGet, "/v2/things/hello/manifests/latest"); a.status != http.StatusNotFound {
		t.Errorf("the other tag of what was deleted: %d", a.status)
	}
	plain("backup", "--output", filepath.Join(into, "backup"), host+"/copies/hello:1")
}

// TestOCIRegctl: regctl lists, reads, copies and untags.
func TestOCIRegctl(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	host := s.host(t)
	c := plainRegctl(t, host)
	run := func(args ...string) string { t.Helper(); return c.run(t, ".", args...) }
	web := host + "/charts/web"
	if got := lines(run("tag", "ls", web)); !slices.Equal(slices.Sorted(slices.Values(got)), webTags) {
		t.Errorf("tag ls: %v", got)
	}
	if got := lines(run("repo", "ls", host)); !holdsAll(got, "charts/web", "charts/modern") {
		t.Errorf("repo ls: %v", got)
	}
	m := s.manifest(t, "charts/web", "1.0.0")
	if got := run("manifest", "get", "--format", "raw-body", web+":1.0.0"); got != m.raw {
		t.Errorf("manifest get: %q", got)
	}
	if got := strings.TrimSpace(run("manifest", "head", web+":1.0.0")); got != m.digest {
		t.Errorf("manifest head: %q", got)
	}
	if got := run("blob", "get", web, m.layer(chartLayer)); digestOf(got) != m.layer(chartLayer) {
		t.Error("blob get: other bytes")
	}
	run("image", "copy", web+":1.0.0", host+"/copies/web:1")
	dir := files{"sbom.json": "{}\n"}.write(t, t.TempDir())
	c.run(t, dir, "artifact", "put", "--subject", host+"/copies/web:1", "--artifact-type", "application/x.sbom", "--file", "sbom.json")
	if got := run("artifact", "list", host+"/copies/web:1"); !strings.Contains(got, "application/x.sbom") {
		t.Errorf("artifact list: %s", got)
	}
	run("image", "copy", host+"/copies/web:1", "ocidir://"+filepath.Join(dir, "layout")+":1")
	run("image", "copy", "ocidir://"+filepath.Join(dir, "layout")+":1", host+"/copies/again:1")
	run("tag", "rm", host+"/copies/web:1")
	if got := s.tags(t, "copies/web"); len(got) != 0 {
		t.Errorf("after tag rm: %v", got)
	}
	if got := s.manifest(t, "copies/web", m.digest).raw; got != m.raw {
		t.Errorf("what has no tag any more, by its digest: %s", got)
	}
}

// TestOCISkopeo: skopeo inspects, lists and copies, both ways; it reads what chartserve has on
// disk as the layout that it is.
func TestOCISkopeo(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	c, host := tool(t, "skopeo"), s.host(t)
	web := "docker://" + host + "/charts/web"
	copies := func(from, to string, args ...string) {
		t.Helper()
		c.run(t, ".", append([]string{"copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to}, args...)...)
	}
	m := s.manifest(t, "charts/web", "1.0.0")
	if got := c.run(t, ".", "inspect", "--raw", "--tls-verify=false", web+":1.0.0"); got != m.raw {
		t.Errorf("inspect --raw: %q", got)
	}
	if got := c.run(t, ".", "inspect", "--config", "--raw", "--tls-verify=false", web+":1.0.0"); digestOf(got) != m.Config.Digest {
		t.Errorf("inspect --config: %q", got)
	}
	var list struct{ Tags []string }
	if err := json.Unmarshal([]byte(c.run(t, ".", "list-tags", "--tls-verify=false", web)), &list); err != nil || !slices.Equal(slices.Sorted(slices.Values(list.Tags)), webTags) {
		t.Errorf("list-tags: %v, %v", list.Tags, err)
	}
	dir := t.TempDir()
	copies(web+":1.0.0", "oci:"+dir+"/layout:1.0.0")
	copies("oci:"+dir+"/layout:1.0.0", "docker://"+host+"/copies/web:1")
	copies("docker://"+host+"/copies/web:1", "docker://"+host+"/copies/again:1")
	if got := s.manifest(t, "copies/again", "1").raw; got != m.raw {
		t.Errorf("after three copies: %s", got)
	}
	// What was pushed is a layout of its own, which is read without the server.
	copies("oci:"+filepath.Join(s.Repo, ".oci", "copies+web")+":1", "dir:"+dir+"/out")
	if got := read(t, dir+"/out/manifest.json"); got != m.raw {
		t.Errorf("from the layout on disk: %q", got)
	}
	h := helm(t, "helm4")
	if r := h.pushes(t, pushable(t, h, t.TempDir(), "db", "1.0.0", "1"), host+"/charts"); !r.ok() {
		t.Fatal(r.all())
	}
	copies("oci:"+filepath.Join(s.Repo, ".oci", "db")+":1.0.0", "dir:"+dir+"/db")
	if got := read(t, dir+"/db/manifest.json"); got != s.manifest(t, "charts/db", "1.0.0").raw {
		t.Errorf("a chart from the layout on disk: %q", got)
	}
	c.run(t, ".", "delete", "--tls-verify=false", "docker://"+host+"/copies/again:1")
	if a := s.ask(t, http.MethodGet, "/v2/copies/again/manifests/1"); a.status != http.StatusNotFound {
		t.Errorf("after delete: %d", a.status)
	}
}

// TestOCILayoutOfOthers: what another tool writes into a name's layout while the server runs is
// served.
func TestOCILayoutOfOthers(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	host := s.host(t)
	c := tool(t, "crane")
	dir := files{"layer.tgz": string(tgz(t, file("hello.txt", "hello\n")))}.write(t, t.TempDir())
	c.run(t, dir, "append", "-f", "layer.tgz", "-t", host+"/library/hello:1")
	tool(t, "skopeo").run(t, ".", "copy", "--insecure-policy", "--src-tls-verify=false", "docker://"+host+"/library/hello:1", "oci:"+filepath.Join(s.Repo, ".oci", "library+hello")+":2")
	// skopeo makes a manifest of OCI's of one of Docker's: the layers are the same.
	one, two := s.manifest(t, "library/hello", "1"), s.manifest(t, "library/hello", "2")
	if one.raw == two.raw || len(two.Layers) != 1 || one.Layers[0].Digest != two.Layers[0].Digest {
		t.Errorf("got %s and %s", one.raw, two.raw)
	}
	c.run(t, ".", "validate", "--remote", host+"/library/hello:2")
}
