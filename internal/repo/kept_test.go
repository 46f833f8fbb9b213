package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/watch"
)

// readServed opens name in a Snapshot and gives the digest of what it reads.
func readServed(t *testing.T, s *Snapshot, name string) string {
	t.Helper()
	f, ok := s.Lookup(name)
	if !ok {
		return "not found"
	}
	file, err := s.Open(f)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	must(t, err)
	return hex.EncodeToString(h.Sum(nil))
}

// An archive that was replaced stays under its digest for the time that was
// asked for, also over a restart and for those who hold an old Snapshot.
func TestReplacedArchivesAreKept(t *testing.T) {
	now := time.Now()
	f := newFixture(t)
	f.opts.Now = func() time.Time { return now }
	f.opts.KeepReplaced = time.Hour
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	first := f.index()["a-1.0.0"]
	old, address := r.Snapshot(), "by-digest/"+first+"/a-1.0.0.tgz"
	if got := readServed(t, old, address); got != first {
		t.Errorf("the current archive under its digest: %s", got)
	}
	f.add(map[string]string{"a/templates/cm.yaml": "kind: Secret\n"})
	must(t, r.pass(context.Background(), watch.Change{Rescan: true}))
	for name, s := range map[string]*Snapshot{"old": old, "new": r.Snapshot()} {
		if got := readServed(t, s, address); got != first {
			t.Errorf("%s snapshot, replaced archive: %s", name, got)
		}
	}
	second := f.index()["a-1.0.0"]
	if got := readServed(t, r.Snapshot(), "by-digest/"+first+"/b-1.0.0.tgz"); got != "not found" {
		t.Errorf("another name under the digest: %s", got)
	}
	must(t, r.Close())

	r, err = Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	if got := readServed(t, r.Snapshot(), address); got != first {
		t.Errorf("after a restart: %s", got)
	}
	now = now.Add(2 * time.Hour)
	must(t, r.pass(context.Background(), watch.Change{Rescan: true}))
	if got := readServed(t, r.Snapshot(), address); got != "not found" {
		t.Errorf("after its time: %s", got)
	}
	if _, err := os.Stat(filepath.Join(f.repo, address)); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if got := readServed(t, r.Snapshot(), "by-digest/"+second+"/a-1.0.0.tgz"); got != second {
		t.Errorf("the current archive: %s", got)
	}
}

// With DigestURLs the index points to content addresses that exist in the folder
// as it is, whoever put the archive there.
func TestDigestURLs(t *testing.T) {
	f := newFixture(t)
	f.opts.DigestURLs = true
	f.add(chartFiles("a", "a", "1.0.0+x"))
	f.build()
	must(t, os.Rename(filepath.Join(f.repo, "a-1.0.0+x.tgz"), filepath.Join(f.repo, "other.tgz")))
	for range 2 {
		f.build()
		file, err := index.Decode(mustRead(t, filepath.Join(f.repo, "index.yaml")))
		must(t, err)
		e := file.Entries[0]
		if want := "by-digest/" + e.Digest + "/a-1.0.0%2Bx.tgz"; e.URL != want {
			t.Fatalf("url %q, want %q", e.URL, want)
		}
		sum := sha256.Sum256(mustRead(t, filepath.Join(f.repo, "by-digest", e.Digest, "a-1.0.0+x.tgz")))
		if hex.EncodeToString(sum[:]) != e.Digest {
			t.Error("other bytes under the digest")
		}
	}
}
