package images

import (
	"path/filepath"
	"testing"
	"time"
)

// What Helm may take is bounded before it has read a chart.
func TestMemoryIsBounded(t *testing.T) {
	script := "sleep 0.3; ulimit -d" // in KiB
	for most, want := range map[uint64]string{64 << 20: "65536\n", 0: "unlimited\n"} {
		r := Renderer{Helm: fakeHelm(t, script), Timeout: 10 * time.Second, Memory: most}
		if got, err := r.Render(t.Context(), filepath.Join(t.TempDir(), "a.tgz")); err != nil || string(got) != want {
			t.Errorf("%d: got %q, %v, want %q", most, got, err, want)
		}
	}
}
