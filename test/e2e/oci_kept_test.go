package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// copiers copy one manifest with all that belongs to it, from an address to another.
func copiers(t *testing.T) map[string]func(from, to string) result {
	with := func(name string, args ...string) func(from, to string) result {
		return func(from, to string) result {
			c := tool(t, name)
			if name == "regctl" {
				for _, at := range []string{from, to} {
					host, _, _ := strings.Cut(at, "/")
					c.run(t, ".", "registry", "set", host, "--tls=disabled", "--blob-chunk=64", "--blob-max=128")
				}
			}
			if name == "skopeo" {
				from, to = "docker://"+from, "docker://"+to
			}
			return c.try(t, ".", append(args, from, to)...)
		}
	}
	return map[string]func(from, to string) result{
		"crane":  with("crane", "copy"),
		"oras":   with("oras", "cp", "--from-plain-http", "--to-plain-http"),
		"regctl": with("regctl", "image", "copy"), // larger blobs than 128 bytes in chunks
		"skopeo": with("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false"),
	}
}

// TestOCIMoves: what any client copies from another registry is a chart of the index here, and
// what is copied to another one is a chart there.
func TestOCIMoves(t *testing.T) {
	other := &server{URL: serveOnce(t, ociserver.New(ocimem.New(), nil))}
	s := serve(t, t.TempDir(), "--allow-upload")
	h, i := helm(t, "helm4"), 0
	for name, copies := range copiers(t) {
		i++
		version := fmt.Sprintf("1.%d.0+b.%d", i, i)
		archive := pushable(t, h, t.TempDir(), "web", version, name)
		if r := h.pushes(t, archive, other.host(t)+"/charts"); !r.ok() {
			t.Fatal(r.all())
		}
		at := "/charts/web:" + tagOf(version)
		if r := copies(other.host(t)+at, s.host(t)+at); !r.ok() {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.all())
			continue
		}
		if got := s.index(t)["web "+version].Digest; "sha256:"+got != digestOf(read(t, archive)) {
			t.Errorf("%s: the index has %q", name, got)
		}
		if got, want := s.manifest(t, "charts/web", tagOf(version)).raw, other.manifest(t, "charts/web", tagOf(version)).raw; got != want {
			t.Errorf("%s: the manifest is %s, was %s", name, got, want)
		}
		if r := copies(s.host(t)+at, other.host(t)+"/back/web:"+tagOf(version)); !r.ok() {
			t.Errorf("%s: back: exit %d\n%s", name, r.code, r.all())
			continue
		}
		if read(t, only(t, h.pull(t, "oci://"+other.host(t)+"/back/web", "--version", version, "--plain-http"))) != read(t, archive) {
			t.Errorf("%s: back: another archive", name)
		}
	}
}

// TestOCIBesideCharts: what is no chart may have a chart's name, as signatures have, but no tag
// that a version has; a chart below a name of more than one part is in no index, which the log says.
func TestOCIBesideCharts(t *testing.T) {
	s := serve(t, samples(t), "--allow-upload", ".")
	dir, host := files{"hello.txt": "hello\n"}.write(t, t.TempDir()), s.host(t)
	c, h := tool(t, "oras"), helm(t, "helm3")
	_, digest, _ := strings.Cut(s.manifest(t, "charts/web", "1.2.0").digest, ":")
	signature := "sha256-" + digest + ".sig"
	c.run(t, dir, "push", "--plain-http", host+"/charts/web:"+signature, "hello.txt")
	if got := s.tags(t, "charts/web"); !holdsAll(got, append(webTags, signature)...) {
		t.Errorf("tags: %v", got)
	}
	h.pull(t, "oci://"+host+"/charts/web", "--plain-http")
	before := s.manifest(t, "charts/web", "1.0.0").raw
	if r := c.try(t, dir, "push", "--plain-http", host+"/charts/web:1.0.0", "hello.txt"); r.ok() || !strings.Contains(r.all(), "409") && !strings.Contains(r.all(), "denied") {
		t.Errorf("the tag of a version: exit %d\n%s", r.code, r.all())
	}
	if s.manifest(t, "charts/web", "1.0.0").raw != before {
		t.Error("the tag of a version is of something else")
	}
	if r := h.pushes(t, pushable(t, h, t.TempDir(), "web", "7.0.0", "1"), host+"/some/where"); !r.ok() {
		t.Fatal(r.all())
	}
	h.pull(t, "oci://"+host+"/some/where/web", "--plain-http")
	if s.index(t)["web 7.0.0"].Digest != "" || !strings.Contains(s.logs.String(), "not in the index") {
		t.Error("a chart elsewhere is in the index, or the log does not say why it is not")
	}
}

// TestOCIPushedIsKept: what was pushed is on disk when the client is told so: the folder as it is at
// that moment, copied while the server runs, serves the same.
func TestOCIPushedIsKept(t *testing.T) {
	dir, k := t.TempDir(), newKeys(t, rsa)
	s := serve(t, dir, "--allow-upload")
	h, host := helm(t, "helm3"), s.host(t)
	if r := h.pushes(t, pushable(t, h, dir, "web", "1.0.0", "1", "--sign", "--key", "ann", "--keyring", k.secret), host+"/charts"); !r.ok() {
		t.Fatal(r.all())
	}
	files{"hello.txt": "hello\n"}.write(t, dir)
	c := tool(t, "oras")
	c.run(t, dir, "push", "--plain-http", host+"/things/hello:1", "hello.txt")
	c.run(t, dir, "attach", "--plain-http", "--artifact-type", "application/x.sbom", host+"/charts/web:1.0.0", "hello.txt")
	again := filepath.Join(t.TempDir(), "repo")
	if out, err := exec.Command("cp", "-r", s.Repo, again).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	restored := serve(t, t.TempDir(), "--repo-path", again)
	for name, tag := range map[string]string{"charts/web": "1.0.0", "things/hello": "1"} {
		if got, want := restored.manifest(t, name, tag).raw, s.manifest(t, name, tag).raw; got != want {
			t.Errorf("%s:%s is %s, was %s", name, tag, got, want)
		}
	}
	host = restored.host(t)
	h.pull(t, "oci://"+host+"/charts/web", "--plain-http", "--verify", "--keyring", k.public)
	c.run(t, ".", "pull", "--plain-http", host+"/things/hello:1", "-o", t.TempDir())
	if got := c.run(t, ".", "discover", "--plain-http", host+"/charts/web:1.0.0"); !strings.Contains(got, "application/x.sbom") {
		t.Errorf("discover: %s", got)
	}
	if a := restored.ask(t, http.MethodGet, "/v2/_catalog"); !strings.Contains(a.body, `"charts/web"`) || !strings.Contains(a.body, `"things/hello"`) {
		t.Errorf("the catalog: %s", a.body)
	}
}
