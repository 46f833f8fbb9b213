package store

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// replace has an archive replaced, which is kept if it can be.
func (s *Store) replaceWith(t *testing.T, name, text string) error {
	t.Helper()
	staged := s.stage(t, text)
	defer staged.Discard()
	return s.Commit(&Batch{Archives: []*Archive{{Name: name, Digest: digestOf(text), Staged: staged, Replaces: s.current(t, name)}}})
}

// Replaced archives are found again by the next owner, since when too, until their
// time is over; those that are current again are no replaced ones.
func TestReplaced(t *testing.T) {
	now := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
	o := Options{KeepReplaced: time.Hour, Now: func() time.Time { return now }}
	path := t.TempDir()
	s := openStore(t, path, o)
	must(t, s.LoadReplaced())
	for _, name := range []string{"a-1.tgz", "b-1.tgz"} {
		s.write(t, name, "old "+name)
		s.write(t, name+".prov", "signed")
		must(t, s.replaceWith(t, name, "new"))
	}
	held := s.Replaced()
	want := []string{}
	for _, name := range []string{"a-1.tgz", "b-1.tgz"} {
		address := Address(digestOf("old "+name), name)
		want = append(want, address, address+".prov")
	}
	slices.Sort(want)
	check := func(when string, table Replaced, want []string) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(table)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("replaced", held, want)
	must(t, s.Close())

	now = now.Add(50 * time.Minute)
	s = openStore(t, path, o)
	must(t, s.LoadReplaced())
	must(t, s.LoadReplaced()) // does nothing
	check("another owner", s.Replaced(), want)
	none := func(string, string) bool { return false }
	s.Sweep(none, false)
	check("in time", s.Replaced(), want)
	isA := func(name, digest string) bool { return name == "a-1.tgz" && digest == digestOf("old a-1.tgz") }
	b := slices.DeleteFunc(slices.Clone(want), func(address string) bool { return strings.Contains(address, "a-1") })
	s.Sweep(isA, true)
	check("a is current", s.Replaced(), b)
	if _, err := s.Stat(Address(digestOf("old a-1.tgz"), "a-1.tgz")); err != nil {
		t.Errorf("the link of a current archive, which links them: %v", err)
	}
	now = now.Add(time.Hour)
	s.Sweep(none, false)
	check("after its time", s.Replaced(), []string{})
	check("held by a reader", held, want)
	if got := contents(t, filepath.Join(path, digestFolder)); len(got) != 2 {
		t.Errorf("in by-digest there are %v, want the links of a", got)
	}
}

// What was promised is kept, or the change does not happen: a file that can't be
// looked at is not taken for one that is gone.
func TestKeepFaults(t *testing.T) {
	for _, err := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE} {
		f := failing("stat", "a-1.tgz", err)
		s := openStore(t, t.TempDir(), Options{KeepReplaced: time.Hour, Fault: f.ask})
		s.write(t, "a-1.tgz", "old")
		if got := s.replaceWith(t, "a-1.tgz", "new"); !errors.Is(got, err) {
			t.Errorf("%v: the Commit ends with %v", err, got)
		}
		if got := contents(t, s.path)["a-1.tgz"]; got != "old" {
			t.Errorf("%v: the archive is %q", err, got)
		}
		f.fail = nil
		must(t, s.replaceWith(t, "a-1.tgz", "new"))
		if got := contents(t, s.path)[Address(digestOf("old"), "a-1.tgz")]; got != "old" {
			t.Errorf("%v: kept is %q", err, got)
		}
	}
}

// A file that may not be linked, as it is of another owner, is kept as a copy; its provenance too.
func TestKeepCopies(t *testing.T) {
	for _, err := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOTSUP, syscall.ENOSYS} {
		f := &faults{}
		f.fail = func(_ int, op, name string) error {
			if op == "link" {
				return &fs.PathError{Op: op, Path: name, Err: err}
			}
			return nil
		}
		s := openStore(t, t.TempDir(), Options{KeepReplaced: time.Hour, Fault: f.ask})
		s.write(t, "a-1.tgz", "old")
		s.write(t, "a-1.tgz.prov", "signed")
		must(t, s.replaceWith(t, "a-1.tgz", "new"))
		address := Address(digestOf("old"), "a-1.tgz")
		if got := contents(t, s.path); got[address] != "old" || got[address+".prov"] != "signed" {
			t.Errorf("%v: kept are %q and %q", err, got[address], got[address+".prov"])
		}
		for name := range contents(t, s.path) {
			if strings.HasPrefix(name, tempPrefix) {
				t.Errorf("%v: left behind: %s", err, name)
			}
		}
	}
}

// A file that is not the one that was known is not kept under its digest.
func TestKeepOtherBytes(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{KeepReplaced: time.Hour})
	s.write(t, "a-1.tgz", "old")
	known := s.current(t, "a-1.tgz")
	for what, change := range map[string]func(path string) error{
		"other bytes": func(path string) error { return os.WriteFile(path, []byte("of someone else"), 0o644) },
		"gone":        os.Remove,
		"a link":      func(path string) error { return os.Symlink(IndexName, path) },
	} {
		path := filepath.Join(s.path, "a-1.tgz")
		_ = os.Remove(path)
		must(t, os.WriteFile(path, []byte("other"), 0o644))
		if what == "a link" {
			must(t, os.Remove(path))
		}
		must(t, change(path))
		if err := s.keep([]*Current{known, nil}); err != nil || len(s.Replaced()) > 0 {
			t.Errorf("%s: %v, %v", what, err, s.Replaced())
		}
	}
}

// Replaced archives that can't be listed are an error, not none: they would not be
// served as promised, nor removed in time. The next try finds them.
func TestLoadReplacedFaults(t *testing.T) {
	address := Address(digestOf("a"), "a-1.tgz")
	for _, dir := range []string{digestFolder, filepath.Dir(address)} {
		for _, want := range []error{syscall.EIO, fs.ErrPermission, syscall.ENFILE} {
			f := failing("list", dir, want)
			s := openStore(t, t.TempDir(), Options{Fault: f.ask})
			s.write(t, address, "a")
			if err := s.LoadReplaced(); !errors.Is(err, want) || !strings.Contains(err.Error(), "take it away") {
				t.Errorf("%s: %v, want %v and what to do", dir, err, want)
			}
			f.fail = nil
			must(t, s.LoadReplaced())
			if len(s.Replaced()) != 1 {
				t.Errorf("%s: afterwards %v", dir, s.Replaced())
			}
		}
	}
}

// by-digest is no link, nor anything in it: nothing is written, served or removed
// behind one.
func TestByDigestIsNoLink(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{KeepReplaced: time.Hour})
	s.write(t, "a-1.tgz", "a")
	s.write(t, "theirs/"+digestOf("a")+"/x-1.tgz", "x")
	must(t, os.Symlink("theirs", filepath.Join(s.path, digestFolder)))
	if err := s.LoadReplaced(); err == nil {
		t.Errorf("loaded through a link: %v", s.Replaced())
	}
	if err := s.replaceWith(t, "a-1.tgz", "new"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("kept through a link: %v", err)
	}
	must(t, os.Remove(filepath.Join(s.path, digestFolder)))
	must(t, os.Mkdir(filepath.Join(s.path, digestFolder), 0o755))
	must(t, os.Symlink("../theirs/"+digestOf("a"), filepath.Join(s.path, digestFolder, digestOf("a"))))
	must(t, s.LoadReplaced())
	if len(s.Replaced()) > 0 {
		t.Errorf("loaded through a link below: %v", s.Replaced())
	}
	if err := s.replaceWith(t, "a-1.tgz", "new"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("kept through a link below: %v", err)
	}
	if got := contents(t, filepath.Join(s.path, "theirs")); len(got) != 1 {
		t.Errorf("behind the link there are %v", got)
	}
}

func TestAddress(t *testing.T) {
	digest, base, ok := SplitAddress(Address("00ff", "sub/a-1.0.0+x.tgz"))
	if digest != "00ff" || base != "a-1.0.0+x.tgz" || !ok {
		t.Errorf("got %q, %q, %v", digest, base, ok)
	}
	for _, name := range []string{"", digestFolder, digestFolder + "/x", "a-1.tgz", "sub/by-digest/x/y", "by-digestive/x/y"} {
		if _, _, ok := SplitAddress(name); ok {
			t.Errorf("%q is taken for an address", name)
		}
	}
}
