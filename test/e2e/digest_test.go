package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestDigestURLs: a client that holds an older index still gets what that
// promised, under its digest. Helm 4 keeps downloads under the index's digest
// without checking, so other bytes would stay in its cache for good.
func TestDigestURLs(t *testing.T) {
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := files{
				"hello/Chart.yaml":        "apiVersion: v1\nname: hello\nversion: 1.0.0\n",
				"hello/templates/cm.yaml": "# the first\n",
			}.write(t, t.TempDir())
			s := serve(t, source, "--digest-urls", ".")
			h := helm(t, name)
			h.run(t, ".", "repo", "add", "ours", s.URL)
			first := s.index(t)

			must(t, os.WriteFile(filepath.Join(source, "hello/templates/cm.yaml"), []byte("# the second\n"), 0o644))
			second := s.settles(t, "the second", func(all map[string]entry) bool {
				return all["hello 1.0.0"].Digest != first["hello 1.0.0"].Digest
			})
			for i, want := range []map[string]entry{first, second} {
				if i == 1 {
					h.run(t, ".", "repo", "update")
				}
				sum := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, only(t, h.pull(t, "ours/hello"))))))
				if digest := want["hello 1.0.0"].Digest; sum != digest {
					t.Errorf("with index %d the client got %s, the index says %s", i+1, sum, digest)
				}
			}
		})
	}
}
