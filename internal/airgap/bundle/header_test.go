package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// The headers are part of the format: these are the bytes of all bundles so far.
func TestHeader(t *testing.T) {
	const want = "ef24df45b8134630706bb6983ab1ad598bf8baa93a116994ea91370dfb5471ec"
	h := sha256.New()
	for _, name := range []string{"manifest.json", strings.Repeat("n", 100), strings.Repeat("n", 101), "a/é", strings.Repeat("d/", 200)} {
		for _, size := range []int64{0, 1, 511, 1<<33 - 1} {
			h.Write(header(name, size))
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPadding(t *testing.T) {
	for size, want := range map[int64]int64{0: 0, 1: 511, 511: 1, 512: 0, 513: 511} {
		if got := padding(size); got != want {
			t.Errorf("padding(%d) = %d, want %d", size, got, want)
		}
	}
}
