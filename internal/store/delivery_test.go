package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

func open(t *testing.T, folder string) *Delivery {
	t.Helper()
	s, err := OpenDelivery(folder, "test")
	must(t, err)
	return s
}

func put(t *testing.T, s *Delivery, name, text string) {
	t.Helper()
	f, err := s.Create()
	must(t, err)
	_, err = f.File().Write([]byte(text))
	must(t, err)
	must(t, f.Keep(name))
	f.Discard() // does nothing any more
}

func entry(t *testing.T, name, version string, created time.Time) *index.Entry {
	t.Helper()
	md := &chart.Metadata{APIVersion: "v2", Name: name, Version: version}
	e, err := index.NewEntry(md, md.ArchiveName(), strings.Repeat("a", 64), created)
	must(t, err)
	return e
}

// listed lists a directory, with what begins with a dot.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func waiting(t *testing.T, folder string) *Received {
	t.Helper()
	s := openStore(t, folder, Options{})
	d, err := s.Receive()
	must(t, err)
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(folder, lockName)))
	return d
}

// A delivery goes its whole way: over an interruption, into the folder.
func TestDelivery(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "repo")
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	s := open(t, folder)
	put(t, s, "a-1.0.0.tgz", "a")
	put(t, s, "gone-1.0.0.tgz", "of an earlier run")
	if _, err := s.Create(); err != nil { // never kept
		t.Fatal(err)
	}
	must(t, s.Close())

	s = open(t, folder)
	if got, want := listed(t, s.Root().Name()), []string{lockName, "a-1.0.0.tgz", "gone-1.0.0.tgz"}; !slices.Equal(got, want) {
		t.Fatalf("after an interruption: %v, want %v", got, want)
	}
	put(t, s, "a-1.0.0.tgz.prov", "p")
	put(t, s, "b-1.0.0.tgz", "b")
	if d := waiting(t, folder); d != nil {
		t.Fatalf("delivered before Send: %v", d.Files())
	}
	must(t, s.Send([]*index.Entry{entry(t, "a", "1.0.0", created), entry(t, "b", "1.0.0", created), entry(t, "old", "1.0.0", created)}))
	must(t, s.Close())

	d := waiting(t, folder)
	if diff := cmp.Diff([]string{"a-1.0.0.tgz.prov", "a-1.0.0.tgz", "b-1.0.0.tgz"}, sortedTail(d.Files())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(d.Entries) != 3 || !d.Entries[0].Created.Equal(created) {
		t.Errorf("entries: %v", d.Entries)
	}
	renames := 0
	owner := openStore(t, folder, Options{Fault: func(op, name string) error {
		if op == "rename" {
			renames++
		}
		if op == "rename" && renames == 3 {
			return syscall.EIO
		}
		return nil
	}})
	d, err := owner.Receive()
	must(t, err)
	none := func(string) *Current { return nil }
	if err := d.Take(none); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Take ended with %v", err)
	}
	d, err = owner.Receive() // whoever took is gone, another goes on
	must(t, err)
	if len(d.Files()) != 1 || len(d.Entries) != 3 {
		t.Errorf("left are %v, with %d entries", d.Files(), len(d.Entries))
	}
	must(t, d.Take(none))
	must(t, d.Done())
	if got, want := listed(t, folder), []string{lockName, "a-1.0.0.tgz", "a-1.0.0.tgz.prov", "b-1.0.0.tgz"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
}

// sortedTail sorts what follows the provenance, whose order is the directory's.
func sortedTail(files []string) []string {
	out := slices.Clone(files)
	slices.Sort(out[1:])
	return out
}

func TestOneDeliveryAtATime(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	put(t, s, "a-1.0.0.tgz", "a")
	must(t, s.Send([]*index.Entry{entry(t, "a", "1.0.0", time.Now())}))
	must(t, s.Close())
	s = open(t, folder)
	put(t, s, "b-1.0.0.tgz", "b")
	err := s.Send([]*index.Entry{entry(t, "b", "1.0.0", time.Now())})
	if !errors.Is(err, ErrWaiting) {
		t.Fatalf("second delivery: %v, want ErrWaiting", err)
	}
	if !slices.Contains(listed(t, s.Root().Name()), "b-1.0.0.tgz") {
		t.Error("what was staged is gone")
	}
	owner := openStore(t, folder, Options{})
	d, err := owner.Receive()
	must(t, err)
	must(t, d.Done())
	must(t, s.Send([]*index.Entry{entry(t, "b", "1.0.0", time.Now())}))
	must(t, s.Close())
}

func TestDeliveryIsLocked(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if _, err := OpenDelivery(folder, "test"); !errors.Is(err, ErrBusy) {
		t.Errorf("second: %v, want ErrBusy", err)
	}
	other, err := OpenDelivery(folder, "other")
	must(t, err)
	put(t, other, "a-1.0.0.tgz", "a")
	must(t, other.Close())
	must(t, s.Close())
	if got, want := listed(t, folder), []string{stagingPrefix + "other"}; !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v: an empty one goes, another stays", got, want)
	}
	must(t, open(t, folder).Close())
}

func TestNames(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	for _, name := range []string{"", ".tgz", "../a.tgz", "a/b.tgz", `a\b.tgz`, "index.yaml", ".x.tgz", "a.prov", ".."} {
		f, err := s.Create()
		must(t, err)
		if err := f.Keep(name); err == nil {
			t.Errorf("a file %q was made", name)
		}
	}
	for _, name := range []string{"", "a/b", `a\b`} {
		if _, err := OpenDelivery(t.TempDir(), name); err == nil {
			t.Errorf("a delivery %q was made", name)
		}
	}
	f, err := s.Create()
	must(t, err)
	f.Discard()
	if got, want := listed(t, s.Root().Name()), []string{lockName}; !slices.Equal(got, want) {
		t.Errorf("after Discard: %v, want %v", got, want)
	}
	must(t, s.Remove("a-1.0.0.tgz")) // is not there
	put(t, s, "a-1.0.0.tgz", "a")
	must(t, s.Remove("a-1.0.0.tgz"))
	if _, err := s.Root().Stat("a-1.0.0.tgz"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Remove: %v", err)
	}
}

func TestDamagedDelivery(t *testing.T) {
	folder := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(folder, incoming), 0o755))
	must(t, os.WriteFile(filepath.Join(folder, incoming, IndexName), []byte("nothing"), 0o644))
	if _, err := openStore(t, folder, Options{}).Receive(); err == nil || !strings.Contains(err.Error(), "deliver again") {
		t.Errorf("got %v, want what is wrong and what to do", err)
	}
}

// A link in the place of a delivery leads nowhere: a checkout may
// have brought it along.
func TestDeliveryIsNoLink(t *testing.T) {
	folder, away := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(away, "a-1.0.0.tgz"), []byte("a"), 0o644))
	must(t, os.Mkdir(filepath.Join(folder, "in"), 0o755))
	for name, target := range map[string]string{"out": away, "in": "in"} {
		must(t, os.Symlink(target, filepath.Join(folder, stagingPrefix+name)))
		if _, err := OpenDelivery(folder, name); err == nil {
			t.Errorf("a delivery was opened through a link to %s", target)
		}
	}
	must(t, os.Symlink("in", filepath.Join(folder, incoming)))
	if d, err := openStore(t, folder, Options{}).Receive(); err == nil {
		t.Errorf("a delivery was received through a link: %v", d.Files())
	}
	if got := listed(t, away); !slices.Equal(got, []string{"a-1.0.0.tgz"}) {
		t.Errorf("behind the link there are %v", got)
	}
}

// What a delivery replaces is kept, and its files are durable once they are taken.
func TestTakeKeeps(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	put(t, s, "a-1.0.0.tgz", "new")
	must(t, s.Send([]*index.Entry{entry(t, "a", "1.0.0", time.Now())}))
	must(t, s.Close())
	f := &faults{}
	owner := openStore(t, folder, Options{KeepReplaced: time.Hour, Fault: f.ask})
	owner.write(t, "a-1.0.0.tgz", "old")
	old := owner.current(t, "a-1.0.0.tgz")
	d, err := owner.Receive()
	must(t, err)
	f.ops = nil
	must(t, d.Take(func(string) *Current { return old }))
	got := contents(t, folder)
	if got["a-1.0.0.tgz"] != "new" || got[Address(digestOf("old"), "a-1.0.0.tgz")] != "old" {
		t.Errorf("the folder holds %v", got)
	}
	if last := f.ops[len(f.ops)-1]; !strings.HasPrefix(last, "sync ") {
		t.Errorf("the last operation is %s: the names are not durable", last)
	}
}
