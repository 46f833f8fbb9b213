package httpapi

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/repo"
)

// An archive that was pushed and is written into leaves no blob with other bytes, and can be
// pushed again. One that is replaced leaves the blobs, which are right.
func TestArchiveWrittenInto(t *testing.T) {
	archive := chartArchive(t, "web", "1.0.0", nil)
	other := chartArchive(t, "web", "1.0.0", map[string]string{"values.yaml": "a: 1\n"})
	write := func(data []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, data, 0o644) }
	}
	for name, tt := range map[string]struct {
		change func(path string) error
		keeps  bool
	}{
		"another archive": {write(other), false},
		"no archive":      {write(bytes.Repeat([]byte("x"), len(archive))), false},
		"half of it":      {func(path string) error { return os.Truncate(path, int64(len(archive)/2)) }, false},
		"renamed over": {func(path string) error {
			return errors.Join(os.WriteFile(path+".new", other, 0o644), os.Rename(path+".new", path))
		}, true},
	} {
		for when, restart := range map[string]bool{"while it runs": false, "while it is down": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				testWrittenInto(t, archive, tt.change, restart, tt.keeps)
			})
		}
	}
}

func testWrittenInto(t *testing.T, archive []byte, change func(string) error, restart, keeps bool) {
	dir, o := t.TempDir(), Options{Uploads: Uploads{Overwrite: true}}
	r, stop := repositoryIn(t, dir, repo.Options{})
	u := serveUploads(t, r, o)
	names, i := []string{"charts/web", "other/web"}, helmImage(archive, nil, "")
	push := func() {
		t.Helper()
		for _, name := range names {
			if resp := u.push(name, "1.0.0", i); resp.StatusCode != 201 {
				t.Fatalf("%s: %s", name, resp.Status)
			}
			if got := u.tagged(name, "1.0.0"); got != i.digest() {
				t.Errorf("%s has %q", name, got)
			}
		}
	}
	push()
	if restart {
		stop()
	}
	if err := change(filepath.Join(dir, "web-1.0.0.tgz")); err != nil {
		t.Fatal(err)
	}
	if restart {
		r, _ = repositoryIn(t, dir, repo.Options{})
		u = serveUploads(t, r, o)
	}
	d := digest.FromBytes(archive)
	for wait := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, ok := r.View().Blob(d.Encoded()); !ok {
			break
		}
		if time.Since(wait) > 10*time.Second {
			t.Fatal("the change was not seen")
		}
	}
	for _, name := range names {
		code, body := u.do("GET", "/v2/"+name+"/blobs/"+string(d), nil)
		if keeps && (code != 200 || body != string(archive)) || !keeps && code != 404 {
			t.Errorf("%s: %d with %d bytes", name, code, len(body))
		}
	}
	push()
}

// The blob of a provenance that the repository had is not what somebody writes into its file.
func TestProvenanceWrittenInto(t *testing.T) {
	dir := t.TempDir()
	r, _ := repositoryIn(t, dir, repo.Options{})
	u := serveUploads(t, r, Options{})
	archive := chartArchive(t, "web", "1.0.0", nil)
	prov := provenanceOf("web", "1.0.0", archive)
	if code, body := u.form("/api/charts", file{"chart", "web-1.0.0.tgz", string(archive)}, file{"prov", "web-1.0.0.tgz.prov", prov}); code != 201 {
		t.Fatal(code, body)
	}
	i := helmImage(archive, []byte(prov), "")
	d := string(digest.FromString(prov))
	u.pushBlobs("web", &image{blobs: i.blobs[:1]}) // the others are there
	if resp := u.putManifest("web", "1.0.0", i); resp.StatusCode != 201 {
		t.Fatal(resp.Status)
	}
	if err := os.WriteFile(filepath.Join(dir, "web-1.0.0.tgz.prov"), []byte(prov+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for wait := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, body := u.do("GET", "/charts/web-1.0.0.tgz.prov", nil); body == prov+"\n" {
			break
		}
		if time.Since(wait) > 10*time.Second {
			t.Fatal("the change was not seen")
		}
	}
	if code, body := u.do("GET", "/v2/web/blobs/"+d, nil); code != 200 || body != prov {
		t.Errorf("got %d with %d bytes, of %d", code, len(body), len(prov))
	}
}
