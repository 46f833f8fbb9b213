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

// readServed opens name in a View and gives the digest of what it reads.
func readServed(t *testing.T, s *View, name string) string {
	t.Helper()
	f, ok := s.File(name)
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
// asked for, also over a restart and for those who hold an old View.
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
	old, address := r.View(), "by-digest/"+first+"/a-1.0.0.tgz"
	if got := readServed(t, old, address); got != first {
		t.Errorf("the current archive under its digest: %s", got)
	}
	f.add(map[string]string{"a/templates/cm.yaml": "kind: Secret\n"})
	must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
	for name, s := range map[string]*View{"old": old, "new": r.View()} {
		if got := readServed(t, s, address); got != first {
			t.Errorf("%s snapshot, replaced archive: %s", name, got)
		}
	}
	second := f.index()["a-1.0.0"]
	if got := readServed(t, r.View(), "by-digest/"+first+"/b-1.0.0.tgz"); got != "not found" {
		t.Errorf("another name under the digest: %s", got)
	}
	must(t, r.Close())

	r, err = Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	if got := readServed(t, r.View(), address); got != first {
		t.Errorf("after a restart: %s", got)
	}
	now = now.Add(2 * time.Hour)
	must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
	if got := readServed(t, r.View(), address); got != "not found" {
		t.Errorf("after its time: %s", got)
	}
	if _, err := os.Stat(filepath.Join(f.repo, address)); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if got := readServed(t, r.View(), "by-digest/"+second+"/a-1.0.0.tgz"); got != second {
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
		if want := "by-digest/" + e.Digest + "/a-1.0.0+x.tgz"; e.URL != want {
			t.Fatalf("url %q, want %q", e.URL, want)
		}
		sum := sha256.Sum256(mustRead(t, filepath.Join(f.repo, "by-digest", e.Digest, "a-1.0.0+x.tgz")))
		if hex.EncodeToString(sum[:]) != e.Digest {
			t.Error("other bytes under the digest")
		}
	}
}

// The provenance of a replaced archive is kept with it, under an ETag of its own;
// a pruned archive is kept as well as a replaced one. What is kept is of its time.
func TestProvenanceIsKept(t *testing.T) {
	now := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
	f := newFixture(t)
	f.opts.Now = func() time.Time { return now }
	f.opts.KeepReplaced, f.opts.Prune = time.Hour, true
	f.add(map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0")), "a.tgz.prov": signed}, chartFiles("b", "b", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(t.Context()))
	index := f.index()
	archive, plain := "by-digest/"+index["a-1.0.0"]+"/a-1.0.0.tgz", "by-digest/"+index["b-1.0.0"]+"/b-1.0.0.tgz"
	check := func(when string, want map[string]string) {
		t.Helper()
		for name, digest := range want {
			if got := readServed(t, r.View(), name); got != digest {
				t.Errorf("%s: %s is %s, want %s", when, name, got, digest)
			}
			if file, ok := r.View().File(name); ok && (!file.Immutable || file.Name != name || file.Archive != isArchiveName(name)) {
				t.Errorf("%s: %+v", when, file)
			}
		}
	}
	sum := sha256.Sum256([]byte(signed))
	good := map[string]string{archive: index["a-1.0.0"], archive + ".prov": hex.EncodeToString(sum[:]), plain: index["b-1.0.0"]}
	check("current", good)
	f.add(map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0", map[string]string{"a/new": "1"})), "a.tgz.prov": signed + " again"})
	f.remove("b")
	must(t, r.Build(t.Context()))
	wantNames(t, f.names(), "a-1.0.0")
	check("replaced", good)
	one, _ := r.View().File(archive)
	two, _ := r.View().File(archive + ".prov")
	if one == nil || two == nil || one.ETag == two.ETag || one.ETag != `"`+index["a-1.0.0"]+`"` {
		t.Errorf("an archive and its provenance: %+v, %+v", one, two)
	}
	now = now.Add(50 * time.Minute)
	must(t, r.Build(t.Context()))
	must(t, r.Close())
	r, err = Open(f.repo, f.opts) // which does not begin their time anew
	must(t, err)
	defer r.Close()
	must(t, r.Build(t.Context()))
	check("after a restart", good)
	now = now.Add(20 * time.Minute)
	must(t, r.Build(t.Context()))
	check("after their time", map[string]string{archive: "not found", archive + ".prov": "not found", plain: "not found"})
	left, err := os.ReadDir(filepath.Join(f.repo, digestFolder))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left in %s: %v", digestFolder, left)
	}
}

// An archive that becomes the current one again is no kept one any more: it does
// not end with the time of those, and is there once.
func TestKeptBecomesCurrent(t *testing.T) {
	for _, digests := range []bool{false, true} {
		now := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
		f := newFixture(t)
		f.opts.Now = func() time.Time { return now }
		f.opts.KeepReplaced, f.opts.DigestURLs = time.Hour, digests
		r, err := Open(f.repo, f.opts)
		must(t, err)
		defer r.Close()
		var all []string
		for _, text := range []string{"one", "two", "one"} {
			f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"a/text": text})
			must(t, r.Build(t.Context()))
			all = append(all, f.index()["a-1.0.0"])
		}
		if all[0] != all[2] || all[0] == all[1] {
			t.Fatalf("digests %v", all)
		}
		path := filepath.Join(f.repo, digestFolder, all[0], "a-1.0.0.tgz")
		if _, err := os.Stat(path); (err == nil) != digests {
			t.Errorf("digest URLs %v: the link of the current archive: %v", digests, err)
		}
		now = now.Add(2 * time.Hour)
		must(t, r.Build(t.Context()))
		for digest, want := range map[string]string{all[0]: all[0], all[1]: "not found"} {
			if got := readServed(t, r.View(), "by-digest/"+digest+"/a-1.0.0.tgz"); got != want {
				t.Errorf("digest URLs %v: %s is %s", digests, digest, got)
			}
		}
	}
}

// Without KeepReplaced nothing is kept, and of what an earlier run kept nothing stays.
func TestNothingIsKept(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	write(t, f.repo, map[string]string{"by-digest/00/x-1.0.0.tgz": "x"})
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	f.build()
	f.add(map[string]string{"a/new": "1"})
	f.remove("b")
	f.build()
	if left, err := filepath.Glob(filepath.Join(f.repo, digestFolder, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("kept %v, %v", left, err)
	}
}
