package e2e

import (
	"path/filepath"
	"testing"
)

// TestVerifyHelmsOwn verifies folders that Helm has packaged and indexed: nothing is
// wrong with them.
func TestVerifyHelmsOwn(t *testing.T) {
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			h, dir := helm(t, name), t.TempDir()
			source := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
			for _, version := range []string{"1.0.0", "1.1.0-rc.1", "1.1.0+abc"} {
				if path, r := h.pack(t, source, dir, "--version", version); path == "" {
					t.Fatal(r.all())
				}
			}
			for _, url := range []string{"", "http://localhost:8879/charts"} {
				h.run(t, ".", "repo", "index", dir, "--url", url)
				if r := serveTool(t, dir, "verify", "--offline", "--repo-path", dir); r.code != 0 {
					t.Errorf("--url %q: exit %d\n%s", url, r.code, r.all())
				}
			}
			// What Helm then refuses has a finding.
			index := filepath.Join(dir, "index.yaml")
			files{"index.yaml": read(t, index) + "colour: red\n"}.write(t, dir)
			if r := serveTool(t, dir, "verify", "--repo-path", dir); r.code != 1 {
				t.Errorf("an unknown field: exit %d\n%s", r.code, r.all())
			}
		})
	}
}
