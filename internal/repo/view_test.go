package repo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is not the file that was listed is never opened in its place.
func TestViewOpensOnlyWhatItLists(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cases := map[string]struct {
		change func(path string) error
		opens  bool
	}{
		"as listed":    {func(string) error { return nil }, true},
		"gone":         {os.Remove, false},
		"another time": {func(p string) error { return os.Chtimes(p, at, at.Add(1)) }, false},
		"another size": {func(p string) error {
			return errors.Join(os.WriteFile(p, []byte("longer"), 0o644), os.Chtimes(p, at, at))
		}, false},
		"another thing": {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755), os.Chtimes(p, at, at)) }, false},
	}
	for name, c := range cases {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		path := filepath.Join(dir, "x")
		must(t, os.WriteFile(path, []byte("text"), 0o644))
		must(t, os.Chtimes(path, at, at))
		f := &File{Name: "x", Path: "x", Size: 4, ModTime: at}
		must(t, c.change(path))
		if fi, err := os.Stat(path); name == "another thing" {
			must(t, err)
			f.Size = fi.Size()
		}
		file, err := NewView(root, f).Open(f)
		if err == nil {
			file.Close()
		}
		if (err == nil) != c.opens || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A shared table stays as it is, whatever is put into the next or removed from it.
func TestTable(t *testing.T) {
	names := func(t table[*File], all ...string) (found []string) {
		for _, n := range all {
			if f, ok := t.get(n); ok && f.Name == n {
				found = append(found, n)
			}
		}
		return found
	}
	var table table[*File]
	table.remove("none")
	if got := names(table, "a"); got != nil {
		t.Errorf("an empty table has %v", got)
	}
	table.put("a", &File{Name: "a"})
	first := table.share()
	table.put("b", &File{Name: "b"})
	second := table.share()
	table.remove("a")
	table.remove("none")
	old, _ := second.get("b")
	table.put("b", &File{Name: "b", Size: 1})
	wantNames(t, names(first, "a", "b"), "a")
	wantNames(t, names(second, "a", "b"), "a", "b")
	wantNames(t, names(table, "a", "b"), "b")
	if now, _ := table.get("b"); old.Size != 0 || now.Size != 1 {
		t.Error("a file was replaced in a shared table")
	}
}

func TestProgress(t *testing.T) {
	var told []int
	o := &Options{Progress: func(what string, done, total int) {
		if what != "charts" || total != 9 {
			t.Errorf("told of %d %s", total, what)
		}
		told = append(told, done)
	}}
	p := newProgress(o, "charts", 9)
	p.step() // too early
	p.next = time.Time{}
	p.step()
	p.step() // too early again
	if len(told) != 1 || told[0] != 2 {
		t.Errorf("told %v, want [2]", told)
	}
	newProgress(&Options{}, "charts", 9).step() // nobody is told
}
