package repo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A chart outside the SOURCEs is named in messages as those are.
func TestOutsideIsNamedAsTheSourcesAre(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		f := newFixture(t)
		base := filepath.Dir(f.tree)
		t.Chdir(base)
		if !absolute {
			f.opts.Sources = []string{"tree"}
		}
		f.add(chartFiles("nova", "nova", "1.0.0", "kit ^1 file://../../far/kit"))
		write(t, base, chartFiles("far/kit", "kit", "1.0.0"))
		must(t, os.Symlink("/etc/passwd", filepath.Join(base, "far/kit/templates.txt")))
		r, err := Open(f.repo, f.opts)
		must(t, err)
		must(t, r.Build(context.Background()))
		want := "needs far/kit: "
		if absolute {
			want = "needs " + base + "/far/kit: "
		}
		if got := reasons(r.Status()); !strings.Contains(got, want) {
			t.Errorf("absolute %v: got %q, want %q", absolute, got, want)
		}
		must(t, r.Close())
	}
}

// The repository folder is named in messages as its user named it, also after a restart
// with another name for it.
func TestFolderIsNamedAsItWasGiven(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("nova", "nova", "1.0.0"))
	write(t, f.repo, map[string]string{"mine/broken.tgz": "no archive"})
	base := filepath.Dir(f.repo)
	t.Chdir(base)
	t.Cleanup(func() { t.Chdir(base) })
	f.opts.fault = func(op, name string) error {
		if op == "list" && name == "bad" {
			return &fs.PathError{Op: "open", Path: filepath.Join(f.repo, name), Err: syscall.EIO}
		}
		return nil
	}
	must(t, os.MkdirAll(filepath.Join(f.repo, "bad"), 0o755))
	for _, name := range []string{filepath.Base(f.repo), "./" + filepath.Base(f.repo), f.repo, "."} {
		if name == "." {
			t.Chdir(f.repo)
		}
		r, err := Open(name, f.opts)
		must(t, err)
		must(t, r.Build(context.Background()))
		for _, below := range []string{"mine/broken.tgz", "bad"} {
			want := filepath.Join(name, below)
			if !slices.ContainsFunc(r.Status().Failures, func(x Failure) bool { return x.Path == want }) {
				t.Errorf("folder %q: no failure of %q in %+v", name, want, r.Status().Failures)
			}
		}
		if got := reasons(r.Status()); strings.Contains(got, f.repo) {
			t.Errorf("folder %q: its whole path in %q", name, got)
		}
		if got, want := r.shown(filepath.Join(f.repo, "mine")), filepath.Join(name, "mine"); got != want {
			t.Errorf("folder %q: a change in it is shown as %q, want %q", name, got, want)
		}
		must(t, r.Close())
	}
}

// So it is in the error that ends a command.
func TestTroubleNamesTheFolderAsItWasGiven(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("nova", "nova", "1.0.0"))
	t.Chdir(filepath.Dir(f.repo))
	f.opts.fault = func(op, name string) error {
		if op == "rename" {
			return syscall.ENOSPC
		}
		return nil
	}
	r, err := Open(filepath.Base(f.repo), f.opts)
	must(t, err)
	defer r.Close()
	err = r.Build(context.Background())
	if want := fmt.Sprintf("repository folder %q: ", filepath.Base(f.repo)); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s...", err, want)
	}
}
