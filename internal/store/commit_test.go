package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/fileid"
)

// change is a batch that does everything that one can: it replaces a and its
// provenance, adds b, links c, which others put there, and removes d.
type change struct {
	s *Store
	b *Batch
}

// began returns a folder before the change, and the change; nothing fails until then.
func began(t *testing.T, f *faults) *change {
	t.Helper()
	fail := f.fail
	f.fail = nil
	s := openStore(t, t.TempDir(), Options{KeepReplaced: time.Hour, Fault: f.ask})
	must(t, s.LoadReplaced())
	for name, text := range map[string]string{
		"a-1.tgz": "old a", "a-1.tgz.prov": "old a signed", "c-1.tgz": "c", "d-1.tgz": "d", "d-1.tgz.prov": "d signed", IndexName: "old",
	} {
		s.write(t, name, text)
	}
	c := &change{s: s, b: &Batch{
		Archives: []*Archive{
			{Name: "a-1.tgz", Digest: digestOf("new a"), Staged: s.stage(t, "new a"), Provenance: s.stage(t, "new a signed"), Replaces: s.current(t, "a-1.tgz"), Link: true},
			{Name: "b-1.tgz", Digest: digestOf("b"), Staged: s.stage(t, "b")},
		},
		Links: []Link{{"c-1.tgz", digestOf("c")}}, Index: s.stage(t, "new"), Remove: []Current{*s.current(t, "d-1.tgz")},
	}}
	f.ops, f.fail = nil, fail
	return c
}

func (c *change) discard() {
	for _, a := range c.b.Archives {
		a.Staged.Discard()
		a.Provenance.Discard()
	}
	c.b.Index.Discard()
	c.s.Tidy()
}

// committed is what the folder holds after the change.
func committed() map[string]string {
	want := map[string]string{"a-1.tgz": "new a", "a-1.tgz.prov": "new a signed", "b-1.tgz": "b", "c-1.tgz": "c", IndexName: "new"}
	for name, text := range map[string]string{"a-1.tgz": "old a", "d-1.tgz": "d"} {
		want[Address(digestOf(text), name)], want[Address(digestOf(text), name)+".prov"] = text, text+" signed"
	}
	want[Address(digestOf("new a"), "a-1.tgz")], want[Address(digestOf("new a"), "a-1.tgz")+".prov"] = "new a", "new a signed"
	want[Address(digestOf("c"), "c-1.tgz")] = "c"
	return want
}

func TestCommit(t *testing.T) {
	f := &faults{}
	c := began(t, f)
	stamp := c.b.Archives[0].Staged.Stamp()
	must(t, c.s.Commit(c.b))
	asked := len(f.ops)
	c.discard()
	if len(f.ops) > asked {
		t.Errorf("what has its name was discarded: %q", f.ops[asked:])
	}
	if got := c.s.current(t, "a-1.tgz").Stamp; got != stamp || !fileid.Settled(stamp.Time(), time.Now()) {
		t.Errorf("the archive has %+v, want %+v, settled", got, stamp)
	}
	if got, want := contents(t, c.s.path), committed(); !maps.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
	if !c.b.Committed || !c.b.Archives[0].Named || !c.b.Archives[1].Named {
		t.Error("the batch does not say how far it came")
	}
	if got := len(c.s.Replaced()); got != 4 {
		t.Errorf("%d replaced files, want those of a and d and their provenance", got)
	}
}

// The order of a Commit, as its documentation promises it: each line comes after the
// one before it.
func TestCommitOrder(t *testing.T) {
	f := &faults{}
	c := began(t, f)
	must(t, c.s.Commit(c.b))
	var last int
	for _, want := range []string{
		"sync", "link", "rename a-1.tgz", "rename a-1.tgz.prov", "rename b-1.tgz", "sync", "rename index.yaml", "sync",
		"remove d-1.tgz", "remove d-1.tgz.prov", "sync",
	} {
		i := slices.IndexFunc(f.ops[last:], func(op string) bool { return strings.HasPrefix(op, want) })
		if i < 0 {
			t.Fatalf("no %q after %q in %q", want, f.ops[:last], f.ops)
		}
		last += i + 1
	}
	named := slices.IndexFunc(f.ops, func(op string) bool { return strings.HasPrefix(op, "rename") })
	for i, op := range f.ops {
		kind, _, _ := strings.Cut(op, " ")
		if i > named && (kind == "link" || kind == "mkdir" || kind == "chtimes" || kind == "create") {
			t.Errorf("%q needs room on the disk, and comes after the first rename: %q", op, f.ops)
		}
	}
	if syncs := slices.DeleteFunc(slices.Clone(f.ops[:named]), func(op string) bool { return !strings.HasPrefix(op, "sync") }); len(syncs) != 4 {
		t.Errorf("synced before the first rename: %q, want two archives, provenance and index", syncs)
	}
}

// The room of a replaced index is given back by Tidy, which nobody waits for, and not by the
// rename. A link in its place is not followed.
func TestReplacedIndexIsOpenUntilTidy(t *testing.T) {
	c := began(t, &faults{})
	must(t, c.s.Commit(c.b))
	old := c.s.lastIndex
	if text, err := io.ReadAll(old); string(text) != "old" || err != nil {
		t.Fatalf("open is %q, %v, want the old index", text, err)
	}
	c.s.Tidy()
	if _, err := old.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Tidy: %v, want %v", err, os.ErrClosed)
	}
	must(t, os.Remove(filepath.Join(c.s.path, IndexName)))
	must(t, os.Symlink("a-1.tgz", filepath.Join(c.s.path, IndexName)))
	must(t, c.s.Commit(&Batch{Index: c.s.stage(t, "newer")}))
	if got := contents(t, c.s.path)[IndexName]; got != "newer" || c.s.lastIndex != nil {
		t.Errorf("index.yaml is %q, open is %v, want the new one and none", got, c.s.lastIndex)
	}
}

// Whatever operation fails, once or with all that follow: index.yaml lists no archive
// that is not there, what was replaced can be had under its digest, the batch says how
// far it came, and the same change completes once nothing fails any more.
func TestCommitFaults(t *testing.T) {
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm") // no disk is waited for there
	}
	for _, more := range []bool{false, true} {
		for n := 1; ; n++ {
			hit := ""
			f := &faults{}
			f.fail = func(i int, op, name string) error {
				if i < n || i > n && !more {
					return nil
				}
				hit = fmt.Sprintf("operation %d (%s %s), all that follow: %v", n, op, name, more)
				return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
			}
			c := began(t, f)
			err := c.s.Commit(c.b)
			if hit == "" {
				break
			}
			c.check(t, hit, err)
			f.fail = nil
			c.discard()
			for name := range contents(t, c.s.path) {
				if strings.HasPrefix(name, tempPrefix) {
					t.Errorf("%s: left behind: %s", hit, name)
				}
			}
			c.again(t)
			if got, want := contents(t, c.s.path), committed(); !maps.Equal(got, want) {
				t.Errorf("%s: in the end the folder holds %v, want %v", hit, got, want)
			}
		}
	}
}

// check checks the folder after a Commit that ended with err, or that got over it.
func (c *change) check(t *testing.T, hit string, err error) {
	t.Helper()
	got := contents(t, c.s.path)
	if err != nil && !errors.Is(err, syscall.EIO) {
		t.Errorf("%s: the error is %v", hit, err)
	}
	if err == nil && !c.b.Committed {
		t.Errorf("%s: no error, and not committed", hit)
	}
	a, b := c.b.Archives[0], c.b.Archives[1]
	if want := map[bool]string{true: "new a", false: "old a"}[a.Named]; got["a-1.tgz"] != want && !strings.Contains(hit, "rename a-1.tgz.prov") {
		t.Errorf("%s: a is %q, want %q", hit, got["a-1.tgz"], want)
	}
	if got["b-1.tgz"] != map[bool]string{true: "b"}[b.Named] {
		t.Errorf("%s: b is %q, and named: %v", hit, got["b-1.tgz"], b.Named)
	}
	if got[IndexName] == "new" && (!a.Named || !b.Named) || c.b.Committed && got[IndexName] != "new" {
		t.Errorf("%s: index.yaml is %q, committed: %v, named: %v, %v", hit, got[IndexName], c.b.Committed, a.Named, b.Named)
	}
	if address := Address(digestOf("old a"), "a-1.tgz"); a.Named && got[address] != "old a" {
		t.Errorf("%s: what a replaced is gone", hit)
	}
	if !c.b.Committed && (got["d-1.tgz"] != "d" || got["d-1.tgz.prov"] != "d signed") {
		t.Errorf("%s: d was removed before the index was there", hit)
	}
}

// again does what is left of the change, as the next pass does.
func (c *change) again(t *testing.T) {
	t.Helper()
	next := &Batch{Links: c.b.Links, Index: c.s.stage(t, "new")}
	if !c.b.Archives[0].Named {
		next.Archives = append(next.Archives, &Archive{Name: "a-1.tgz", Digest: digestOf("new a"), Staged: c.s.stage(t, "new a"),
			Provenance: c.s.stage(t, "new a signed"), Replaces: c.s.current(t, "a-1.tgz"), Link: true})
	}
	if !c.b.Archives[1].Named {
		next.Archives = append(next.Archives, &Archive{Name: "b-1.tgz", Digest: digestOf("b"), Staged: c.s.stage(t, "b")})
	}
	next.Remove = c.b.Remove
	must(t, c.s.Commit(next))
}

// An error of the disk is an *Error; one of the content is the writer's own. Neither
// leaves a file.
func TestStageErrors(t *testing.T) {
	mine := errors.New("the content is no good")
	if _, err := openStore(t, t.TempDir(), Options{}).Stage(func(w io.Writer) error { return mine }); err != mine {
		t.Errorf("the writer's error became %v", err)
	}
	for n := 1; ; n++ {
		f := &faults{}
		var hit string
		f.fail = func(i int, op, name string) error {
			if i == n {
				hit = op
				return syscall.ENOSPC
			}
			return nil
		}
		s := openStore(t, t.TempDir(), Options{Fault: f.ask})
		_, err := s.WriteFile("deep/file", writing("text"))
		if hit == "" {
			must(t, err)
			if got := contents(t, s.path); !maps.Equal(got, map[string]string{"deep/file": "text"}) {
				t.Errorf("the folder holds %v", got)
			}
			break
		}
		var e *Error
		if !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &e) {
			t.Errorf("%s: %v", hit, err)
		}
		s.Tidy()
		if got := contents(t, s.path); len(got) > 0 {
			t.Errorf("%s: left behind: %v", hit, got)
		}
	}
}

// What can't be removed when it is discarded is removed by Tidy, once that is possible.
func TestTidy(t *testing.T) {
	f := &faults{}
	s := openStore(t, t.TempDir(), Options{Fault: f.ask})
	staged := s.stage(t, "x")
	s.write(t, doneName+"/x", "of a delivery")
	f.fail = func(_ int, op, name string) error {
		if op == "remove" {
			return &fs.PathError{Op: op, Path: name, Err: syscall.EIO}
		}
		return nil
	}
	staged.Discard()
	if err := s.removeAll(doneName); !errors.Is(err, syscall.EIO) {
		t.Errorf("removed: %v", err)
	}
	s.Tidy()
	if got := contents(t, s.path); len(got) != 2 {
		t.Errorf("the folder holds %v, want both files", got)
	}
	f.fail = nil
	s.Tidy()
	if got := contents(t, s.path); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}
