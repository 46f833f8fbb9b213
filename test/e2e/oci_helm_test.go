package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// helms are the Helms that know registries.
func helms() []string { return []string{"helm3", "helm4"} }

// signedSamples is samples with nova, which k has signed.
func signedSamples(t *testing.T) (dir string, k *keys) {
	t.Helper()
	dir, k = samples(t), newKeys(t, rsa)
	nova := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
	if path, r := helm(t, "helm4").pack(t, nova, dir, "--sign", "--key", "ann", "--keyring", k.secret); path == "" {
		t.Fatal(r.all())
	}
	return dir, k
}

// TestOCIPull: Helm gets what is built and what lies in a SOURCE from the registry, by every
// way to name a version, with the bytes that the index names.
func TestOCIPull(t *testing.T) {
	dir, k := signedSamples(t)
	s := serve(t, dir, ".")
	index := s.index(t)
	web := func(version string) string { return "sha256:" + index["web "+version].Digest }
	for _, name := range helms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := helm(t, name)
			at := "oci://" + s.host(t)
			one := s.manifest(t, "charts/web", "1.0.0").digest
			for what, c := range map[string]struct {
				args []string
				want []string // one of these digests
			}{
				"newest":              {[]string{at + "/charts/web"}, []string{web("1.2.0")}},
				"newest with --devel": {[]string{at + "/charts/web", "--devel"}, []string{web("2.0.0-rc.1")}},
				"exact":               {[]string{at + "/charts/web", "--version", "1.0.0"}, []string{web("1.0.0")}},
				"prerelease":          {[]string{at + "/charts/web", "--version", "2.0.0-rc.1"}, []string{web("2.0.0-rc.1")}},
				"range":               {[]string{at + "/charts/web", "--version", "~1.0"}, []string{web("1.0.0")}},
				"one build":           {[]string{at + "/charts/web", "--version", "1.1.0+build.5"}, []string{web("1.1.0+build.5")}},
				"the other build":     {[]string{at + "/charts/web", "--version", "1.1.0+build.6"}, []string{web("1.1.0+build.6")}},
				"range of builds":     {[]string{at + "/charts/web", "--version", "~1.1"}, []string{web("1.1.0+build.5"), web("1.1.0+build.6")}},
				"tag":                 {[]string{at + "/charts/web:1.0.0"}, []string{web("1.0.0")}},
				"digest":              {[]string{at + "/charts/web@" + one}, []string{web("1.0.0")}},
				"tag and digest":      {[]string{at + "/charts/web:1.0.0@" + one}, []string{web("1.0.0")}},
				"without charts/":     {[]string{at + "/web", "--version", "1.0.0"}, []string{web("1.0.0")}},
			} {
				got := digestOf(read(t, only(t, h.pull(t, append(c.args, "--plain-http")...))))
				if !slices.Contains(c.want, got) {
					t.Errorf("%s: got %s, want of %v", what, got, c.want)
				}
			}
			for what, args := range map[string][]string{
				"no such version": {at + "/charts/web", "--version", "9.9.9"},
				"no such chart":   {at + "/charts/none"},
				"no such range":   {at + "/charts/web", "--version", ">9"},
				"no such digest":  {at + "/charts/web@" + web("1.0.0")}, // that of the archive
			} {
				if r := h.try(t, t.TempDir(), append([]string{"pull", "--plain-http"}, args...)...); r.ok() || strings.Contains(r.all(), "500") {
					t.Errorf("%s: exit %d\n%s", what, r.code, r.all())
				}
			}
			verified(t, h, s, k)
		})
	}
}

// verified has h verify nova, which is signed, and web, which is not.
func verified(t *testing.T, h *client, s *server, k *keys) {
	nova := "oci://" + s.host(t) + "/charts/nova"
	verify := []string{"--plain-http", "--verify", "--keyring", k.public}
	got := h.pull(t, append(verify, nova)...)
	if want := read(t, filepath.Join(s.Repo, "nova-1.0.0.tgz.prov")); read(t, filepath.Join(got, "nova-1.0.0.tgz.prov")) != want {
		t.Error("another .prov")
	}
	h.pull(t, nova, "--prov", "--plain-http")
	verify[3] = newKeys(t, rsa).public
	if r := h.try(t, t.TempDir(), append(append([]string{"pull"}, verify...), nova)...); r.ok() {
		t.Error("content with the key of somebody else")
	}
	web := strings.Replace(nova, "nova", "web", 1)
	if r := h.try(t, t.TempDir(), append(append([]string{"pull"}, verify...), web)...); r.ok() || !strings.Contains(r.all(), "provenance") {
		t.Errorf("not signed: exit %d\n%s", r.code, r.all())
	}
}

// TestOCIShow: Helm shows and renders what it gets from the registry.
func TestOCIShow(t *testing.T) {
	s := serve(t, samples(t), ".")
	for _, name := range helms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := helm(t, name)
			at := "oci://" + s.host(t) + "/charts/"
			for part, want := range map[string]string{"chart": "version: 1.2.0", "values": "replicas: 3", "readme": "Serves pages.", "all": "replicas: 3"} {
				if got := h.show(t, part, at+"web", "--plain-http"); !strings.Contains(got, want) {
					t.Errorf("show %s: got %q, want %q in it", part, got, want)
				}
			}
			for want, args := range map[string][]string{
				`version: "1.0.0"`:         {at + "web", "--version", "1.0.0"},
				`version: "1.1.0+build.6"`: {at + "web", "--version", "1.1.0+build.6"},
				`from-toolkit: "yes"`:      {at + "shop"},
				"word: new":                {at + "modern", "--version", ">=1"},
			} {
				if got := h.run(t, ".", append([]string{"template", "x", "--plain-http"}, args...)...); !strings.Contains(got, want) {
					t.Errorf("template %v: got %q, want %q in it", args, got, want)
				}
			}
			dir := h.pull(t, at+"web", "--untar", "--plain-http")
			if got := read(t, filepath.Join(dir, "web", "README.md")); got != webChart["README.md"] {
				t.Errorf("pull --untar: README.md is %q", got)
			}
		})
	}
}

// TestOCIDependencies: dependencies on charts in the registry are resolved by a range, built
// from the lock, and loaded.
func TestOCIDependencies(t *testing.T) {
	s := serve(t, samples(t), ".")
	for _, name := range helms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := helm(t, name)
			at := "oci://" + s.host(t) + "/charts"
			dir := shopChart.with(files{
				"requirements.yaml": "", "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 3.0.0\ndependencies:\n" +
					"- {name: toolkit, version: \">= 0.1.0\", repository: \"" + at + "\"}\n" +
					"- {name: web, version: \"~1.0\", repository: \"" + at + "\"}\n" +
					"- {name: web, alias: built, version: 1.1.0+build.5, repository: \"" + at + "\"}\n",
			}).write(t, t.TempDir())
			must(t, os.Remove(filepath.Join(dir, "requirements.yaml")))
			h.run(t, ".", "dependency", "update", dir, "--plain-http")
			want := []string{"toolkit-0.1.0.tgz", "web-1.0.0.tgz", "web-1.1.0+build.5.tgz"}
			vendored := func() (names, digests []string) {
				list, err := os.ReadDir(filepath.Join(dir, "charts"))
				must(t, err)
				for _, e := range list {
					names = append(names, e.Name())
					digests = append(digests, digestOf(read(t, filepath.Join(dir, "charts", e.Name()))))
				}
				return names, digests
			}
			names, first := vendored()
			if !slices.Equal(names, want) {
				t.Errorf("dependency update: got %v, want %v", names, want)
			}
			lock := read(t, filepath.Join(dir, "Chart.lock"))
			for _, part := range []string{"repository: " + at + "\n", "version: 0.1.0\n", "version: 1.0.0\n", "version: 1.1.0+build.5\n"} {
				if !strings.Contains(lock, part) {
					t.Errorf("%q is not in the lock:\n%s", part, lock)
				}
			}
			if got := h.template(t, dir); !strings.Contains(got, `from-toolkit: "yes"`) {
				t.Errorf("template: %q", got)
			}
			must(t, os.RemoveAll(filepath.Join(dir, "charts")))
			h.run(t, ".", "dependency", "build", dir, "--plain-http")
			if _, again := vendored(); !slices.Equal(again, first) {
				t.Errorf("dependency build: other archives than update got")
			}
		})
	}
}

// TestOCIByEveryName: the registry answers by each name of the local host; Helm 3 takes plain
// HTTP from localhost without being told.
func TestOCIByEveryName(t *testing.T) {
	s := serve(t, samples(t), ".")
	_, port, _ := strings.Cut(s.host(t), ":")
	hosts := []string{"localhost", "127.0.0.1"}
	if hasIPv6() {
		hosts = append(hosts, "[::1]")
	}
	for _, name := range helms() {
		for _, host := range hosts {
			helm(t, name).pull(t, "oci://"+host+":"+port+"/charts/web", "--plain-http")
		}
	}
	helm(t, "helm3").pull(t, "oci://localhost:"+port+"/charts/web")
}

// TestOCIContextPath: a name may begin with the context path, with charts/ and with neither, and
// with a repository's name after that.
func TestOCIContextPath(t *testing.T) {
	dir := files{
		"one/web/Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"two/nova/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 1.0.0\n",
	}.write(t, t.TempDir())
	s := serve(t, dir, "--context-path", "/helm/stable", "--repository", "team=two", "one")
	for _, name := range helms() {
		h := helm(t, name)
		for _, at := range []string{"/", "/charts/", "/helm/stable/"} {
			h.pull(t, "oci://"+s.host(t)+at+"web", "--plain-http")
			h.pull(t, "oci://"+s.host(t)+at+"team/nova", "--plain-http")
		}
		if r := h.try(t, t.TempDir(), "pull", "oci://"+s.host(t)+"/helm/web", "--plain-http"); r.ok() {
			t.Errorf("%s: half a context path", name)
		}
	}
}

// TestOCIEdited: an edit of a source moves the tag while the server runs; the manifest and the
// archive of before can be had by their digests.
func TestOCIEdited(t *testing.T) {
	dir := samples(t)
	s := serve(t, dir, ".")
	const name, tag = "charts/web", "1.2.0"
	before := s.manifest(t, name, tag)
	others := s.manifest(t, name, "1.0.0").digest
	must(t, os.WriteFile(filepath.Join(dir, "web", "values.yaml"), []byte("replicas: 4\n"), 0o644))
	old := s.index(t)["web 1.2.0"].Digest
	index := s.settles(t, "an edit", func(all map[string]entry) bool { return all["web 1.2.0"].Digest != old })
	after := s.manifest(t, name, tag)
	if got, want := after.layer(chartLayer), "sha256:"+index["web 1.2.0"].Digest; after.digest == before.digest || got != want {
		t.Errorf("the tag is of %s with the layer %s, want %s", after.digest, got, want)
	}
	if s.manifest(t, name, "1.0.0").digest != others {
		t.Error("another tag moved")
	}
	if got := s.manifest(t, name, before.digest).raw; got != before.raw {
		t.Errorf("the old manifest is %q", got)
	}
	for _, digest := range []string{before.layer(chartLayer), before.Config.Digest, after.Config.Digest} {
		if a := s.ask(t, http.MethodGet, "/v2/"+name+"/blobs/"+digest); a.status != http.StatusOK || digestOf(a.body) != digest {
			t.Errorf("blob %s: %d", digest, a.status)
		}
	}
	for _, client := range helms() {
		h, at := helm(t, client), "oci://"+s.host(t)+"/"+name
		if got := h.show(t, "values", at, "--plain-http"); got != "replicas: 4\n" && !strings.Contains(got, "replicas: 4") {
			t.Errorf("%s: the values are %q", client, got)
		}
		if got := digestOf(read(t, only(t, h.pull(t, at+"@"+before.digest, "--plain-http")))); got != "sha256:"+old {
			t.Errorf("%s: by the old digest: %s", client, got)
		}
	}
	if got := strings.TrimSpace(tool(t, "crane").run(t, ".", "digest", s.host(t)+"/"+name+":"+tag)); got != after.digest {
		t.Errorf("crane digest: %s", got)
	}
}

// TestOCIRestart: after a restart every manifest has the same bytes, and nothing was stored.
func TestOCIRestart(t *testing.T) {
	dir, repo := samples(t), filepath.Join(t.TempDir(), "repo")
	var digests []string
	for range 2 {
		t.Run("run", func(t *testing.T) {
			s := serve(t, dir, "--repo-path", repo, ".")
			for _, tag := range s.tags(t, "charts/web") {
				digests = append(digests, s.manifest(t, "charts/web", tag).digest)
			}
		})
	}
	if n := len(webVersions); len(digests) != 2*n || !slices.Equal(digests[:n], digests[n:]) {
		t.Errorf("got %v", digests)
	}
	if _, err := os.Stat(filepath.Join(repo, ".oci")); !os.IsNotExist(err) {
		t.Errorf("there is a .oci: %v", err)
	}
}
