package e2e

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// TestAirGapRegistry mirrors what Helm has pushed to a registry, byte for byte.
func TestAirGapRegistry(t *testing.T) {
	from := stock(t)
	for _, name := range []string{"helm3", "helm4"} {
		t.Run(name, func(t *testing.T) {
			registry := httptest.NewServer(ociserver.New(ocimem.New(), nil))
			defer registry.Close()
			address := strings.Replace(registry.URL, "http://", "oci://", 1) + "/charts"
			h := helm(t, name)
			for file := range archives(t, from) {
				if filepath.Ext(file) == ".tgz" {
					h.run(t, from, "push", file, address, "--plain-http")
				}
			}
			site := filepath.Join(t.TempDir(), "site")
			args := []string{"mirror", "--plain-http", "--devel", "--repo-path", site}
			for _, chart := range []string{"modern", "nova", "shop", "toolkit", "web"} {
				args = append(args, address+"/"+chart)
			}
			wantWords(t, "first run", gap(t, 0, args...), "Mirrored 5 charts (9 archives)", "0 failed")
			holds(t, site, archives(t, from))
			index := indexOf(t, site)
			for id, e := range indexOf(t, from) {
				if index[id].Digest != e.Digest {
					t.Errorf("%s: got digest %q, want %q", id, index[id].Digest, e.Digest)
				}
			}
			gap(t, 0, "verify", "--offline", "--repo-path", site)
			wantWords(t, "second run", gap(t, 0, args...), " 0 new, 9 unchanged, 0 failed")
		})
	}
}
