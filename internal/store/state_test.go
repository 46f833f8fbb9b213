package store

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestState(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	if d, err := s.LoadState("v1"); d != nil || err != nil {
		t.Errorf("no state: %v, %v", d, err)
	}
	text := func(text string) func(*Codec) error {
		return func(c *Codec) error {
			c.Text(&text)
			return nil
		}
	}
	must(t, s.SaveState("v1", text("one")))
	must(t, s.SaveState("v1", text("two")))
	d, err := s.LoadState("v1")
	must(t, err)
	got := ""
	if d.Text(&got); got != "two" || d.Err() != nil {
		t.Errorf("got %q, %v", got, d.Err())
	}
	if _, err := s.LoadState("v2"); err == nil {
		t.Error("a state of another version is given out")
	}
	path := filepath.Join(s.Path(), stateName)
	data, err := os.ReadFile(path)
	must(t, err)
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		must(t, os.WriteFile(path, bad, 0o644))
		if _, err := s.LoadState("v1"); err == nil {
			t.Errorf("a state with byte %d flipped is given out", i)
		}
	}
	must(t, os.Remove(path))
	must(t, os.Symlink(lockName, path))
	if _, err := s.LoadState("v1"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a link: %v, want ErrNotRegular", err)
	}
}

// A state that can't be written leaves the last one, and no file beside it.
func TestStateFaults(t *testing.T) {
	for n, hit := 1, true; hit; n++ {
		hit = false
		f := &faults{}
		s := openStore(t, t.TempDir(), Options{Fault: f.ask})
		must(t, s.SaveState("v", func(*Codec) error { return nil }))
		before := contents(t, s.Path())
		f.ops, f.fail = nil, func(i int, op, name string) error {
			if i != n {
				return nil
			}
			hit = true
			return syscall.EDQUOT
		}
		err := s.SaveState("v", func(c *Codec) error {
			x := "x"
			c.Text(&x)
			return nil
		})
		if hit != errors.Is(err, syscall.EDQUOT) {
			t.Errorf("operation %d: %v", n, err)
		}
		if got := contents(t, s.Path()); hit && !maps.Equal(got, before) {
			t.Errorf("operation %d: the folder holds %q, want %q", n, got, before)
		}
	}
	mine := errors.New("mine")
	if err := openStore(t, t.TempDir(), Options{}).SaveState("v", func(*Codec) error { return mine }); err != mine {
		t.Errorf("the caller's error became %v", err)
	}
}
