package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/unixtest"
)

// Only a folder with the default name keeps itself out of version control, and only
// until chartserve has been there once.
func TestFolderIsMade(t *testing.T) {
	for name, want := range map[string]string{
		DefaultFolder: "*\n", "deep/" + DefaultFolder: "*\n", "pub": "", "empty/" + DefaultFolder: "*\n", "used/" + DefaultFolder: "",
	} {
		base := t.TempDir()
		must(t, os.MkdirAll(filepath.Join(base, "empty", DefaultFolder), 0o755))
		must(t, os.MkdirAll(filepath.Join(base, "used", DefaultFolder), 0o755))
		must(t, os.WriteFile(filepath.Join(base, "used", DefaultFolder, lockName), nil, 0o600))
		path := filepath.Join(base, name)
		must(t, openStore(t, path, Options{}).Close())
		if got, _ := os.ReadFile(filepath.Join(path, ".gitignore")); string(got) != want {
			t.Errorf("%s: .gitignore %q, want %q", name, got, want)
		}
	}
}

// A folder belongs to one process at a time, whatever path leads to it, and is free
// again after Close.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "repo")
	link := path + ".link"
	must(t, os.Symlink(path, link))
	s := openStore(t, path, Options{})
	for _, p := range []string{path, link} {
		if _, err := Open(p, Options{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "stop that one") {
			t.Errorf("%s: %v, want ErrLocked and what to do", p, err)
		}
	}
	must(t, s.Close())
	must(t, openStore(t, link, Options{}).Close())
}

// The lock holds though someone removes its file, as a cleaner of dot-files does.
// docs/reliability.md: two servers can't have one folder.
func TestLockWithoutItsFile(t *testing.T) {
	path := t.TempDir()
	s := openStore(t, path, Options{})
	must(t, os.Remove(filepath.Join(path, lockName)))
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("the second Open: %v, want ErrLocked", err)
	}
	must(t, s.Close())
	must(t, openStore(t, path, Options{}).Close())
}

// What a checkout carries in the place of the lock is neither followed nor waited for.
func TestLockIsAFile(t *testing.T) {
	for kind, make := range map[string]func(path, away string) error{
		"a link":         func(path, away string) error { return os.Symlink(away, path) },
		"a link astray":  func(path, away string) error { return os.Symlink(away+".new", path) },
		"a FIFO":         func(path, _ string) error { return unixtest.Fifo(path) },
		"a directory":    func(path, _ string) error { return os.Mkdir(path, 0o755) },
		"a link to self": func(path, _ string) error { return os.Symlink(lockName, path) },
	} {
		dir := t.TempDir()
		away := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(away, nil, 0o644))
		must(t, make(filepath.Join(dir, lockName), away))
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v, want what to do", kind, err)
		}
		if _, err := os.Lstat(away + ".new"); err == nil {
			t.Errorf("%s: a file was made behind it", kind)
		}
	}
}

// What is locked is what is open, whatever stands at the path by then.
func TestLockOfAnother(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	defer root.Close()
	other := t.TempDir()
	if lock, err := lockDir(other, root); lock != nil || err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("locked %v, %v", lock, err)
	}
	must(t, openStore(t, other, Options{}).Close()) // and it is free
}

// The default folder is a directory of its own: git carries links, and one of that
// name would have another folder's index.yaml overwritten. A folder that is named
// otherwise may be a link: systemd's StateDirectory with DynamicUser is one.
func TestDefaultFolderIsNoLink(t *testing.T) {
	base := t.TempDir()
	away := filepath.Join(base, "away")
	must(t, os.Mkdir(away, 0o755))
	before := map[string]string{IndexName: "theirs", tempPrefix + "1-1": "theirs too"}
	for name, text := range before {
		must(t, os.WriteFile(filepath.Join(away, name), []byte(text), 0o644))
	}
	for name, target := range map[string]string{"there": away, "astray": filepath.Join(base, "new"), "self": DefaultFolder} {
		link := filepath.Join(base, name, DefaultFolder)
		must(t, os.Mkdir(filepath.Dir(link), 0o755))
		must(t, os.Symlink(target, link))
		for what, open := range map[string]func() error{
			"Open":         func() error { _, err := Open(link, Options{}); return err },
			"OpenDelivery": func() error { _, err := OpenDelivery(link+"/", "test"); return err },
		} {
			if err := open(); err == nil || !strings.Contains(err.Error(), "is a link") || !strings.Contains(err.Error(), "--repo-path") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	if got := contents(t, away); len(got) != len(before) {
		t.Errorf("behind the link there are %v", got)
	}
	if _, err := os.Lstat(filepath.Join(base, "new")); err == nil {
		t.Error("a folder was made behind a link")
	}
}

// A folder that was removed, or in whose place there is another, has moved.
func TestMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "repo")
	s := openStore(t, path, Options{})
	if s.Moved() {
		t.Error("moved at first")
	}
	must(t, os.Rename(path, path+".old"))
	if !s.Moved() {
		t.Error("not moved, though there is nothing at its path")
	}
	must(t, os.Mkdir(path, 0o755))
	if !s.Moved() {
		t.Error("not moved, though there is another")
	}
	must(t, os.Remove(path))
	must(t, os.Rename(path+".old", path))
	if s.Moved() {
		t.Error("moved, though it is back")
	}
}
