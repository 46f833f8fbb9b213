package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/google/go-cmp/cmp"
)

// TestOCIAsPushed: the manifest of a chart that nobody pushed is what Helm makes of the same
// archive when it pushes it, to the config's last byte, but for the time of the file.
func TestOCIAsPushed(t *testing.T) {
	dir := t.TempDir()
	for i, what := range slices.Sorted(maps.Keys(metadataCases)) {
		name := fmt.Sprint("t", i)
		files{"Chart.yaml": strings.Replace(metadataCases[what], "name: t\n", "name: "+name+"\n", 1)}.write(t, filepath.Join(dir, name))
	}
	modernChart.with(files{"Chart.yaml": "apiVersion: v2\nname: full\nversion: 1.0.0+b.1\nappVersion: \"2.5\"\ndescription: A <chart> & \"more\" \u2028 ü\n" +
		"home: https://example.com\nicon: https://example.com/i.svg\nsources: [https://example.com/a, https://example.com/b]\nkeywords: [a, b]\n" +
		"maintainers: [{name: Ann, email: ann@example.com, url: https://example.com/ann}, {name: Bob}]\n" +
		"annotations: {category: x, org.opencontainers.image.title: bad, org.opencontainers.image.licenses: Apache-2.0}\n" +
		"dependencies: [{name: sub, version: 1.0.0, repository: \"\", condition: sub.enabled, tags: [a], alias: other, import-values: [a, {child: b, parent: c}]}]\n"}).
		with(sub("sub", "1.0.0").under("charts/sub")).write(t, filepath.Join(dir, "full"))
	shopChart.with(sub("toolkit", "0.1.0").under("charts/toolkit")).write(t, filepath.Join(dir, "shop"))
	s := serve(t, dir, ".")
	t.Run("all", func(t *testing.T) {
		for id, e := range s.index(t) {
			for _, name := range helms() {
				t.Run(name+" "+id, func(t *testing.T) {
					t.Parallel()
					s.asPushed(t, helm(t, name), e)
				})
			}
		}
	})
}

// asPushed pushes one archive to another registry, and compares.
func (s *server) asPushed(t *testing.T, h *client, e entry) {
	t.Helper()
	other := &server{URL: serveOnce(t, ociserver.New(ocimem.New(), nil))}
	r := h.pushes(t, filepath.Join(s.Repo, e.Name+"-"+e.Version+".tgz"), other.host(t)+"/charts")
	path := "/v2/charts/" + e.Name + "/manifests/" + tagOf(e.Version)
	if !r.ok() {
		if a := s.ask(t, http.MethodGet, path); a.status/100 != 4 {
			t.Errorf("Helm can't push it, and it answers %d\n%s", a.status, r.all())
		}
		return
	}
	got, want := s.manifest(t, "charts/"+e.Name, tagOf(e.Version)), other.manifest(t, "charts/"+e.Name, tagOf(e.Version))
	delete(want.Annotations, "org.opencontainers.image.created")
	got.raw, got.digest, want.raw, want.digest = "", "", "", ""
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ociManifest{})); diff != "" {
		t.Errorf("-pushed +synthesized:\n%s", diff)
	}
}

// serveOnce serves h until the test ends.
func serveOnce(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
