package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"chartserve/internal/chart"
)

// cut writes the bundle of some charts in parts of 1000 bytes.
func cut(t *testing.T, text string) (dir string, o *Output) {
	t.Helper()
	dir = t.TempDir()
	o, err := NewOutput(filepath.Join(dir, "site.tar"), 1000)
	must(t, err)
	_, err = Create(context.Background(), folderOf(t, spec{name: "a", version: "1.0.0", text: text}), o, CreateOptions{})
	must(t, err)
	must(t, o.Commit())
	return dir, o
}

func TestJoin(t *testing.T) {
	dir, o := cut(t, "1")
	var parts []string
	for _, p := range o.Files() {
		if filepath.Ext(p) != sumsExt {
			parts = append(parts, p)
		}
	}
	shuffled := slices.Clone(parts)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	away := filepath.Join(t.TempDir(), "site.tar.003")
	t.Run("beside", func(t *testing.T) {
		for name, paths := range map[string][]string{
			"in order": parts, "in any order": shuffled, "the first": parts[:1], "the last": parts[len(parts)-1:],
			"the whole": {filepath.Join(dir, "site.tar")}, "the list": {filepath.Join(dir, "site.tar.sha256")}, "some and the list": {parts[4], filepath.Join(dir, "site.tar.sha256"), parts[1]},
		} {
			verifies(t, name, paths...)
		}
	})
	t.Run("on two media", func(t *testing.T) {
		must(t, os.Rename(parts[2], away))
		verifies(t, "first and that", away, parts[0])
		refusesParts(t, "first alone", ErrMissing, "site.tar.003", parts[0])
		must(t, os.Rename(away, parts[2]))
	})
	t.Run("without the list", func(t *testing.T) {
		must(t, os.Remove(filepath.Join(dir, "site.tar.sha256")))
		verifies(t, "in any order", shuffled...)
		verifies(t, "the first", parts[0])
	})
}

// A bundle may have a name like a part's.
func TestNameInDigits(t *testing.T) {
	path, _ := fileOf(t, folderOf(t, spec{name: "a", version: "1.0.0"}), CreateOptions{})
	for _, name := range []string{"site.2026", "site.001"} {
		renamed := filepath.Join(t.TempDir(), name)
		must(t, os.Rename(path, renamed))
		verifies(t, name, renamed)
		path = renamed
	}
}

func verifies(t *testing.T, name string, paths ...string) {
	t.Helper()
	rep, err := Verify(context.Background(), paths, ReadOptions{})
	if err != nil || len(rep.Findings) > 0 {
		t.Errorf("%s: %v, %+v", name, err, rep)
	}
}

// refusesParts checks that Verify and Load name the bad part.
func refusesParts(t *testing.T, name string, kind error, part string, paths ...string) {
	t.Helper()
	rep, err := Verify(context.Background(), paths, ReadOptions{})
	if err != nil || !slices.ContainsFunc(rep.Findings, func(f *chart.Error) bool { return errors.Is(f, kind) && strings.Contains(f.Error(), part) }) {
		t.Errorf("%s: verify: %v, %v; want %v of %s", name, err, rep, kind, part)
	}
	to := t.TempDir()
	_, err = Load(context.Background(), paths, to, ReadOptions{})
	if !errors.Is(err, kind) {
		t.Errorf("%s: load: %v, want %v", name, err, kind)
	}
	if got := visible(t, to); len(got) > 0 {
		t.Errorf("%s: loaded %v", name, got)
	}
}

func TestBadParts(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir, other string) error
		more  []string // besides the first part
		kind  error
		part  string
	}{
		"missing":      {func(dir, _ string) error { return os.Remove(filepath.Join(dir, "site.tar.002")) }, nil, ErrMissing, "site.tar.002"},
		"last missing": {func(dir, _ string) error { return os.Remove(filepath.Join(dir, "site.tar.005")) }, nil, ErrMissing, "site.tar.005"},
		"truncated":    {func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "site.tar.003"), 999) }, nil, ErrDamaged, "site.tar.003"},
		"first short":  {func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "site.tar.001"), 999) }, nil, ErrDamaged, "site.tar.001"},
		"empty":        {func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "site.tar.004"), 0) }, nil, ErrDamaged, "site.tar.004"},
		"damaged":      {func(dir, _ string) error { return flip(filepath.Join(dir, "site.tar.002")) }, nil, ErrDamaged, "site.tar.002"},
		"foreign": {func(dir, other string) error {
			return os.Rename(filepath.Join(other, "site.tar.002"), filepath.Join(dir, "site.tar.002"))
		}, nil, ErrDamaged, "site.tar.002"},
		"one too many": {func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "site.tar.099"), nil, 0o644) }, []string{"site.tar.099"}, ErrForeign, "site.tar.099"},
		"other name":   {func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "x.tar.002"), nil, 0o644) }, []string{"x.tar.002"}, ErrForeign, "x.tar.002"},
		"bad list":     {func(dir, _ string) error { return flip(filepath.Join(dir, "site.tar.sha256")) }, nil, ErrDamaged, "site.tar"},
		"empty list":   {func(dir, _ string) error { return os.Truncate(filepath.Join(dir, "site.tar.sha256"), 0) }, nil, ErrDamaged, "site.tar.sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := cut(t, "1")
			other, _ := cut(t, "2")
			must(t, c.spoil(dir, other))
			paths := []string{filepath.Join(dir, "site.tar.001")}
			for _, more := range c.more {
				paths = append(paths, filepath.Join(dir, more))
			}
			refusesParts(t, name, c.kind, c.part, paths...)
		})
	}
}

// Without a list of checksums the part that something is wrong in is named all the
// same.
func TestBadPartsWithoutList(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		kind  error
		part  string
	}{
		"damaged":      {func(dir string) error { return flip(filepath.Join(dir, "site.tar.003")) }, ErrDamaged, "site.tar.003"},
		"truncated":    {func(dir string) error { return os.Truncate(filepath.Join(dir, "site.tar.002"), 999) }, ErrDamaged, "site.tar.002: is cut short: 999 bytes"},
		"first short":  {func(dir string) error { return os.Truncate(filepath.Join(dir, "site.tar.001"), 999) }, ErrDamaged, "site.tar.001: is cut short"},
		"last missing": {func(dir string) error { return os.Remove(filepath.Join(dir, "site.tar.005")) }, ErrMissing, "site.tar.005"},
		"one too many": {func(dir string) error {
			last, err := filepath.Glob(filepath.Join(dir, "site.tar.0*"))
			next := partName(filepath.Join(dir, "site.tar"), len(last)+1)
			return errors.Join(err, os.Rename(last[len(last)-1], next), os.WriteFile(last[len(last)-1], make([]byte, 1000), 0o644))
		}, ErrForeign, "site.tar.0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := cut(t, "1")
			must(t, os.Remove(filepath.Join(dir, "site.tar.sha256")))
			must(t, c.spoil(dir))
			if c.kind == ErrMissing {
				refusesParts(t, name, c.kind, c.part, filepath.Join(dir, "site.tar.001"), filepath.Join(dir, "site.tar.006"))
				return
			}
			refusesParts(t, name, c.kind, c.part, filepath.Join(dir, "site.tar.001"))
		})
	}
}

func flip(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return os.WriteFile(path, data, 0o644)
}

// The list is sha256sum's, and the parts together are the bundle.
func TestOutput(t *testing.T) {
	dir, o := cut(t, "1")
	want, _ := bytesOf(t, folderOf(t, spec{name: "a", version: "1.0.0", text: "1"}), CreateOptions{})
	var got []byte
	for _, p := range o.Files()[:len(o.Files())-1] {
		data, err := os.ReadFile(p)
		must(t, err)
		got = append(got, data...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the parts are not the bundle")
	}
	if program, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.Command(program, "-c", "--quiet", "site.tar.sha256")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("sha256sum -c: %v\n%s", err, out)
		}
	}

	// A shorter one takes its place; nothing of the first stays.
	o, err := NewOutput(filepath.Join(dir, "site.tar"), 4000)
	must(t, err)
	_, err = o.Write(want)
	must(t, err)
	must(t, o.Commit())
	o.Abort()
	verifies(t, "the second", filepath.Join(dir, "site.tar.001"))
	var names []string
	for name := range visible(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"site.tar.001", "site.tar.002", "site.tar.sha256"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	hidden(t, dir)
}

// Without Commit nothing has a name, with Abort nothing is there.
func TestOutputUnfinished(t *testing.T) {
	for _, split := range []int64{0, 10} {
		t.Run(fmt.Sprint(split), func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "site.tar"), []byte("old"), 0o644))
			o, err := NewOutput(filepath.Join(dir, "site.tar"), split)
			must(t, err)
			_, err = o.Write(make([]byte, 100))
			must(t, err)
			if diff := cmp.Diff(map[string]string{"site.tar": "old"}, visible(t, dir)); diff != "" {
				t.Errorf("before Commit:\n%s", diff)
			}
			o.Abort()
			hidden(t, dir)
		})
	}
}

// Outputs that begin and end at the same time beside each other don't sweep each other.
func TestOutputsTogether(t *testing.T) {
	dir := t.TempDir()
	var g errgroup.Group
	for i := range 16 {
		g.Go(func() error {
			for range 10 {
				o, err := NewOutput(filepath.Join(dir, fmt.Sprintf("%d.tar", i)), 0)
				if err != nil {
					return err
				}
				if _, err := o.Write([]byte("x")); err != nil {
					return err
				}
				if err := o.Commit(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, g.Wait())
	if got := visible(t, dir); len(got) != 16 {
		t.Errorf("%d files, want 16", len(got))
	}
	hidden(t, dir)

	// A process may be killed before it has the lock, and while it removes the directory.
	must(t, os.Mkdir(filepath.Join(dir, ".early.tar"+unfinished), 0o755))
	late := filepath.Join(dir, ".late.tar"+unfinished)
	must(t, os.Mkdir(late, 0o755))
	must(t, os.WriteFile(filepath.Join(late, lockName), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(late, "late.tar.001"), nil, 0o644))
	must(t, sweep(dir))
	hidden(t, dir)

	// One name is for one Output.
	o, err := NewOutput(filepath.Join(dir, "0.tar"), 0)
	must(t, err)
	defer o.Abort()
	if _, err := NewOutput(filepath.Join(dir, "0.tar"), 0); err == nil || !strings.Contains(err.Error(), "another process writes it") {
		t.Errorf("a second one: %v", err)
	}
}

// hidden checks that nothing hidden was left.
func hidden(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name()[0] == '.' }) {
		t.Errorf("left: %v", entries)
	}
}
