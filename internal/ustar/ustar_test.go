package ustar

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"
)

// A block is what archive/tar writes for the same member.
func TestAppend(t *testing.T) {
	for _, name := range []string{"x", "c/Chart.yaml", strings.Repeat("n", 100), strings.Repeat("d/", 60) + "x", strings.Repeat("d", 155) + "/" + strings.Repeat("n", 100)} {
		for _, size := range []int64{0, 1, 511, 512, MaxNumber} {
			var want bytes.Buffer
			h := &tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(1234567890, 0), Format: tar.FormatUSTAR}
			if err := tar.NewWriter(&want).WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			prefix, rest, ok := Split([]byte(name))
			got := Append([]byte("before"), Header{Prefix: prefix, Name: rest, Size: size, Time: 1234567890, Kind: tar.TypeReg})
			if !ok || !bytes.Equal(got, append([]byte("before"), want.Bytes()...)) {
				t.Errorf("%q, %d bytes: got %q, want %q", name, size, got, want.Bytes())
			}
		}
	}
}

func TestSplit(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "é": false, "a\x00b": false, strings.Repeat("n", 101): false,
		strings.Repeat("d", 156) + "/x": false, "x/" + strings.Repeat("n", 101): false,
		"x/" + strings.Repeat("n", 100): true, strings.Repeat("n", 155) + "/": false,
	} {
		prefix, rest, got := Split([]byte(name))
		joined := string(rest)
		if len(prefix) > 0 {
			joined = string(prefix) + "/" + joined
		}
		if got != ok || ok && joined != name {
			t.Errorf("Split(%q) = %q, %q, %v, want %v", name, prefix, rest, got, ok)
		}
	}
}

func TestPadding(t *testing.T) {
	for size, want := range map[int64]int64{0: 0, 1: 511, 511: 1, 512: 0, 513: 511} {
		if got := Padding(size); got != want {
			t.Errorf("Padding(%d) = %d, want %d", size, got, want)
		}
	}
}
