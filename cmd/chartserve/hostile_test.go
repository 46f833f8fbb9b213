package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

// An archive that no Helm should be given is an error that names it, and no panic, on every
// way by which one is read; nothing of it is delivered.
func TestHostileArchives(t *testing.T) {
	for name, archive := range map[string][]byte{
		"a negative size": hostile(t, map[string]int64{"nova/Chart.lock": -1}),
		"the lowest size": hostile(t, map[string]int64{"nova/values.yaml": -1 << 63}),
		"a nested one":    hostile(t, map[string]int64{"nova/charts/x-1.0.0.tgz": -512}),
	} {
		for _, command := range []string{
			"mirror SITE --repo-path TO", "mirror ARCHIVE --repo-path TO", "mirror URL --repo-path TO",
			"bundle create -o TO --repo-path SITE", "images --repo-path SITE", "images ARCHIVE", "verify --repo-path SITE", "verify URL",
		} {
			t.Run(name+" "+command, func(t *testing.T) {
				u, site, to := newUpstream(t), t.TempDir(), filepath.Join(t.TempDir(), "to")
				index := fmt.Sprintf("apiVersion: v1\nentries:\n  nova:\n  - {apiVersion: v2, name: nova, version: 1.0.0, created: \"2021-02-03T04:05:06Z\", digest: %s, urls: [nova-1.0.0.tgz]}\n", chart.Digest(archive))
				u.files["/index.yaml"], u.files["/nova-1.0.0.tgz"] = []byte(index), archive
				writeFile(t, filepath.Join(site, "index.yaml"), index)
				writeFile(t, filepath.Join(site, "nova-1.0.0.tgz"), string(archive))
				args := strings.NewReplacer("SITE", site, "ARCHIVE", filepath.Join(site, "nova-1.0.0.tgz"), "URL", u.URL, "TO", to).Replace(command)
				code, stdout, stderr := call(t, strings.Fields(args)...)
				out := stdout + stderr
				if code != 1 || !strings.Contains(out, "a negative size") || !strings.Contains(out, "nova") {
					t.Errorf("exit status %d\n%s", code, out)
				}
				if strings.Count(out, "nova-1.0.0.tgz: ") > strings.Count(out, "\n") {
					t.Errorf("a line names it twice:\n%s", out)
				}
				if all, _ := filepath.Glob(filepath.Join(to, "*.tgz")); len(all) > 0 {
					t.Errorf("%q is delivered", all)
				}
			})
		}
	}
}

// hostile is an archive of nova 1.0.0 with links of these sizes, which headers can have in
// base 256.
func hostile(t *testing.T, sizes map[string]int64) []byte {
	t.Helper()
	const sizeAt, sumAt = 124, 148
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	md := "apiVersion: v2\nname: nova\nversion: 1.0.0\n"
	err := w.WriteHeader(&tar.Header{Name: "nova/Chart.yaml", Mode: 0o644, Size: int64(len(md))})
	if _, werr := w.Write([]byte(md)); err != nil || werr != nil {
		t.Fatal(err, werr)
	}
	for name, size := range sizes {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		at := b.Len()
		if err := w.WriteHeader(&tar.Header{Name: name, Linkname: "Chart.yaml", Typeflag: tar.TypeSymlink, Mode: 0o777}); err != nil {
			t.Fatal(err)
		}
		header := b.Bytes()[at : at+512]
		copy(header[sizeAt:], bytes.Repeat([]byte{0xff}, 12))
		for i := range 8 {
			header[sizeAt+11-i] = byte(size >> (8 * i))
		}
		copy(header[sumAt:], "        ")
		sum := 0
		for _, c := range header {
			sum += int(c)
		}
		copy(header[sumAt:], fmt.Sprintf("%06o\x00 ", sum))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	if _, err := g.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}
