package bundle

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"chartserve/internal/chart"
)

// What is decoded is what was encoded, to the byte, and safe to act on.
func FuzzManifest(f *testing.F) {
	f.Add(valid().Encode())
	f.Add([]byte("{}"))
	f.Add([]byte(`{"format":1,"files":[{"name":"index.yaml"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest(data)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Encode(), data) {
			t.Errorf("encodes to other bytes")
		}
		for _, file := range m.Files {
			if !filepath.IsLocal(file.Name) || filepath.Base(file.Name) != file.Name {
				t.Errorf("name %q", file.Name)
			}
		}
	})
}

// Nothing makes the reader fail or passes that is not, byte for byte, a bundle.
func FuzzVerify(f *testing.F) {
	data, _ := small(f)
	f.Add(data)
	f.Add(data[:1024])
	f.Add(make([]byte, 2048))
	f.Fuzz(func(t *testing.T, data []byte) {
		rep, err := Verify(context.Background(), []string{"-"}, ReadOptions{Stdin: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Findings) == 0 && rep.Manifest.Totals().Bytes != int64(len(data)) {
			t.Errorf("passes with %d bytes, its manifest has %d", len(data), rep.Manifest.Totals().Bytes)
		}
	})
}

// A list of checksums is read as it is written, or refused.
func FuzzSums(f *testing.F) {
	f.Add(encodeSums("a", []string{chart.Digest(nil), chart.Digest([]byte("x"))}))
	f.Add([]byte("x  a.001\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "a.sha256")
		must(t, os.WriteFile(path, data, 0o644))
		sums, err := readSums(path, "a")
		if err == nil && len(sums) == 0 {
			t.Error("no parts")
		}
	})
}
