package layout

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/fileid"
	"chartserve/internal/unixtest"
)

func TestNothingIsMadeByReaders(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	names := namesOf(t, l)
	c, err := l.Content(nginx)
	must(t, err)
	if len(names)+len(c.Manifests) > 0 || c.Digest("x") != nil || c.Tag("x") != nil || len(c.Tags()) > 0 {
		t.Errorf("there is %v, %v", names, c)
	}
	d := digest.FromString("x")
	if _, err := l.OpenBlob(nginx, d); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if ok, err := l.Mount(nginx, "other", d); ok || err != nil {
		t.Error(ok, err)
	}
	must(t, l.Drop(nginx, func(*Manifest) bool { return true }))
	if err := l.DropBlob(nginx, d); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := l.Size(nginx, "AAAAAAAAAAAAAAAAAAAAAAAAAA"); !errors.Is(err, ErrNoUpload) {
		t.Error(err)
	}
	if all, _ := os.ReadDir(dir); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}

// A blob is on the disk once, whatever names have it, and goes from each of them alone.
func TestBlobsAreStoredOnce(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	d, err := send(l, nginx, "layer")
	must(t, err)
	_, err = send(l, "again", "layer")
	must(t, err)
	must(t, l.Write("small", d, []byte("layer")))
	if ok, err := l.Mount("mounted", nginx, d); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, name := range []string{nginx, "again", "small", "mounted"} {
		if got := blob(t, l, name, d); got != "layer" {
			t.Errorf("%s: %q", name, got)
		}
	}
	fi, err := os.Stat(filepath.Join(dir, blobIn(pool, d)))
	must(t, err)
	if n := fileid.Links(fi); n != 5 {
		t.Errorf("the blob has %d names", n)
	}
	must(t, l.DropBlob(nginx, d))
	if blob(t, l, nginx, d) != "" || blob(t, l, "mounted", d) != "layer" {
		t.Error("it is gone from others, or not at all")
	}
	if ok, err := l.Mount("x", nginx, d); ok || err != nil {
		t.Errorf("mounted from where it is not: %v, %v", ok, err)
	}
	if got := len(files(t, dir)); got != 4 {
		t.Errorf("there is %v", files(t, dir))
	}
}

// Where a file system has no links there are copies.
func TestWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	f := &faults{fail: func(_ int, op, _ string) error {
		if op == "link" {
			return &fs.PathError{Op: op, Err: errors.ErrUnsupported}
		}
		return nil
	}}
	l := start(t, dir, Options{Fault: f.ask})
	must(t, os.WriteFile(filepath.Join(dir, "a-1.tgz"), []byte("layer"), 0o644))
	d, err := send(l, nginx, "layer")
	must(t, err)
	if ok, err := l.Mount("mounted", nginx, d); !ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, l.Link("linked", d, "a-1.tgz"))
	for _, name := range []string{nginx, "mounted", "linked"} {
		if got := blob(t, l, name, d); got != "layer" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := len(files(t, dir)); got != 3 {
		t.Errorf("there is %v", files(t, dir))
	}
}

// The archive in the folder and the blob become one file.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	archive := filepath.Join(dir, "a-1.tgz")
	must(t, os.WriteFile(archive, []byte("layer"), 0o644))
	d, err := send(l, "a", "layer")
	must(t, err)
	for range 2 {
		must(t, l.Link("a", d, "a-1.tgz"))
	}
	want, err := os.Stat(archive)
	must(t, err)
	for _, file := range []string{root + "/a/blobs/sha256/" + d.Encoded(), blobIn(pool, d)} {
		if fi, err := os.Stat(filepath.Join(dir, file)); err != nil || !os.SameFile(fi, want) {
			t.Errorf("%s is another file: %v", file, err)
		}
	}
	if n := fileid.Links(want); n != 3 {
		t.Errorf("it has %d names", n)
	}
	if err := l.Link("a", digest.FromString("other"), "a-1.tgz"); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if err := l.Link("a", d, "none.tgz"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if len(files(t, dir)) != 2 {
		t.Errorf("there is %v", files(t, dir))
	}
}

func TestBadCalls(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	good := digest.FromString("x")
	for _, name := range []string{"", "..", "a/../b", "A", "a//b", "/a", "a/", "a+b", "_blobs", ".tmp", "a\x00", "a b", strings.Repeat("a", 256)} {
		_, cerr := l.Content(name)
		_, serr := l.Start(name)
		_, oerr := l.OpenBlob(name, good)
		_, merr := l.Mount("a", name, good)
		for _, err := range []error{cerr, serr, oerr, merr, l.Write(name, good, []byte("x")), l.Put(name, entry("a", "x"), []byte("x")), l.Drop(name, nil)} {
			if !errors.Is(err, ErrName) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, d := range []digest.Digest{"", "x", "sha256:", "sha256:x", "md5:d41d8cd98f00b204e9800998ecf8427e", good[:70], "sha256:" + digest.Digest(strings.ToUpper(good.Encoded())), "sha384:" + digest.Digest(strings.Repeat("a", 96)), "sha256:../../../../etc/passwd"} {
		_, oerr := l.OpenBlob("a", d)
		_, merr := l.Mount("a", "b", d)
		for _, err := range []error{oerr, merr, l.Write("a", d, nil), l.DropBlob("a", d), l.Finish("a", "x", d), l.Link("a", d, "x")} {
			if !errors.Is(err, ErrDigest) {
				t.Errorf("%q: %v", d, err)
			}
		}
	}
	if err := l.Write("a", good, []byte("y")); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if err := l.Put("a", entry("a", "x"), []byte("y")); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	for _, tag := range []string{".a", "-a", "a/b", "a b", strings.Repeat("a", 129)} {
		if err := l.Put("a", entry(tag, "x"), []byte("x")); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", tag, err)
		}
	}
	if err := l.Put("a", entry("a", "x"), make([]byte, MaxManifest+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if all, _ := os.ReadDir(dir); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}

// Links and FIFOs that others put below .oci lead nowhere, and nobody waits for them.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	l := start(t, dir, Options{})
	d, err := push(l, "good", "1", "layer")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(outside, d.Encoded()), []byte(image("layer")), 0o644))
	must(t, os.Symlink(outside, filepath.Join(dir, root, "out")))
	must(t, os.Symlink("good", filepath.Join(dir, root, "in")))
	must(t, os.MkdirAll(filepath.Join(dir, root, "a/blobs/sha256"), 0o755))
	must(t, os.Symlink("../../../good/blobs/sha256/"+d.Encoded(), filepath.Join(dir, root, "a/blobs/sha256", d.Encoded())))
	must(t, os.Symlink("../good/index.json", filepath.Join(dir, root, "a/index.json")))
	must(t, unixtest.Fifo(filepath.Join(dir, root, "a/blobs/sha256", digest.FromString("fifo").Encoded())))
	for _, name := range []string{"out", "in", "a"} {
		for _, d := range []digest.Digest{d, digest.FromString("fifo")} {
			if got := blob(t, l, name, d); got != "" {
				t.Errorf("%s: %q", name, got)
			}
		}
		if c, err := l.Content(name); err == nil && len(c.Manifests) > 0 {
			t.Errorf("%s has %v", name, c.Manifests)
		}
		if name != "a" {
			if _, err := push(l, name, "1", "x"); err == nil {
				t.Errorf("%s takes pushes", name)
			}
		}
	}
	if all, _ := os.ReadDir(outside); len(all) != 1 {
		t.Errorf("there is %v outside", all)
	}
}
