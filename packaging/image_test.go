package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testRelease has programs that only have a name, in a folder of its own.
func testRelease(t *testing.T, platforms ...platform) *release {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	r := &release{root: root, out: t.TempDir(), version: "1.2.3", commit: strings.Repeat("0", 40), time: time.Unix(1_700_000_000, 0).UTC(), platforms: platforms}
	for _, p := range platforms {
		path := filepath.Join(r.out, "build", p.os+"_"+p.arch, p.program())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte(p.String()), 10_000), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// results are the files that begin with "chartserve".
func results(t *testing.T, r *release) map[string]string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.out, "chartserve*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(data)
	}
	return all
}

// The image has the same bytes whoever makes it and where.
func TestImageTwice(t *testing.T) {
	make := func() map[string]string {
		r := testRelease(t, platform{"linux", "amd64"}, platform{"linux", "arm64"}, platform{"windows", "amd64"})
		if err := r.image(t.Context()); err != nil {
			t.Fatal(err)
		}
		return results(t, r)
	}
	first := make()
	second := make()
	if len(first) != 3 {
		t.Errorf("%d files were made, want 3", len(first))
	}
	for name, data := range first {
		if second[name] != data {
			t.Errorf("%s has other bytes the second time", name)
		}
	}
}

func TestImagePlatforms(t *testing.T) {
	if err := testRelease(t, platform{"windows", "amd64"}).image(t.Context()); err == nil {
		t.Error("an image for Windows was made")
	}
	r := testRelease(t, platform{"linux", "arm64"})
	if err := r.image(t.Context()); err != nil || len(results(t, r)) != 2 {
		t.Errorf("one platform: got %v, and %d files, want 2", err, len(results(t, r)))
	}
	r = testRelease(t, platform{"linux", "arm64"})
	if err := os.Remove(filepath.Join(r.out, "build", "linux_arm64", "chartserve")); err != nil {
		t.Fatal(err)
	}
	if err := r.image(t.Context()); err == nil || !strings.Contains(err.Error(), "make the part binaries first") {
		t.Errorf("without a program: got %v", err)
	}
}

// Go reads every authority from the file of the image.
func TestAuthorities(t *testing.T) {
	data, n := authorities(), 0
	for rest := data; ; n++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if c, err := x509.ParseCertificate(b.Bytes); err != nil || !c.IsCA {
			t.Errorf("authority %d: %v", n, err)
		}
	}
	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(data) || n < 100 {
		t.Errorf("%d authorities, want more than 100", n)
	}
}
