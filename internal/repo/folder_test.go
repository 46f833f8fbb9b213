package repo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// Who writes the folder is one process at a time; it is free again after Close,
// by whatever path it is named. What others may read is readable to them.
func TestFolderIsFreeAfterClose(t *testing.T) {
	f := newFixture(t)
	link := f.repo + ".link"
	must(t, os.Symlink(f.repo, link))
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	f.repo = link
	f.build()
	wantNames(t, f.names(), "a-1.0.0")
	for _, name := range []string{"a-1.0.0.tgz", "index.yaml"} {
		fi, err := os.Stat(filepath.Join(f.repo, name))
		must(t, err)
		if fi.Mode() != 0o644 {
			t.Errorf("%s has mode %v", name, fi.Mode())
		}
	}
	left, err := filepath.Glob(filepath.Join(f.repo, tempPrefix+"*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Another folder in the place of the one that was open is taken over as it is.
func TestFolderReplaced(t *testing.T) {
	f := newFixture(t)
	f.opts.KeepReplaced = time.Hour
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	write(t, f.repo, map[string]string{"z.tgz": string(archiveOf(t, "z", "1.0.0")), "note": "x"})
	must(t, r.Build(context.Background()))
	wantNames(t, f.names(), "a-1.0.0", "z-1.0.0")
	digest := f.index()["a-1.0.0"]

	other := &fixture{t: t, tree: t.TempDir(), repo: f.repo + ".other"}
	other.opts.Sources, other.opts.KeepReplaced = []string{other.tree}, time.Hour
	other.add(chartFiles("b", "b", "1.0.0"))
	other.build()
	kept := other.index()["b-1.0.0"]
	other.add(map[string]string{"b/new": "1"})
	other.build()
	must(t, os.Remove(filepath.Join(other.repo, stateName)))
	index := filepath.Join(other.repo, store.IndexName)
	must(t, os.WriteFile(index, []byte(redated(mustRead(t, index))), 0o644))

	must(t, os.Rename(f.repo, f.repo+".old"))
	must(t, os.Rename(other.repo, f.repo))
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "a/templates/cm.yaml")}}}))
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
	if got := f.index()["a-1.0.0"]; got != digest {
		t.Errorf("a has digest %s, want %s", got, digest)
	}
	if !strings.Contains(string(mustRead(t, filepath.Join(f.repo, store.IndexName))), "2019-") {
		t.Error("the creation times of the other index are lost")
	}
	if got := readServed(t, r.View(), "by-digest/"+kept+"/b-1.0.0.tgz"); got != kept {
		t.Errorf("what was kept in the other folder: %s", got)
	}
	if got := readServed(t, r.View(), "note"); got != "not found" {
		t.Errorf("a file of the old folder: %s", got)
	}
	if got := charted(r); got != "a 1.0.0; b 1.0.0" {
		t.Errorf("charts %q", got)
	}
	if got := readServed(t, r.View(), "a-1.0.0.tgz"); got != digest {
		t.Errorf("a is %s, want %s", got, digest)
	}
	f.add(map[string]string{"a/new": "1"})
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "a/new")}}}))
	if f.index()["a-1.0.0"] == digest {
		t.Error("a change in a source is not noticed any more")
	}
	if _, err := Open(f.repo, f.opts); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the new folder is not locked: %v", err)
	}
	free, err := Open(f.repo+".old", f.opts)
	if err != nil {
		t.Fatalf("the old folder is still locked: %v", err)
	}
	must(t, free.Close())
}

// A folder of archives: what stands below it, what is served beside archives, and
// what is not.
func TestFolderFiles(t *testing.T) {
	f := newFixture(t)
	f.opts.Sources = nil
	a, b := string(archiveOf(t, "a", "1.0.0")), string(archiveOf(t, "b", "1.0.0"))
	write(t, f.repo, map[string]string{
		"a-1.0.0.tgz": a, "a-1.0.0.tgz.prov": signed, "sub/deep/b.tgz": b, "sub/deep/b.tgz.prov": "signed too", "sub/by-digest/a2.tgz": a,
		"artifacthub-repo.yml": "owners: []\n", "index.json": "{}", "sub/readme": "x", ".hidden/a.tgz": a, ".x.tgz": a, "dir.prov/": "",
	})
	must(t, os.Symlink("/etc/passwd", filepath.Join(f.repo, "passwd")))
	must(t, os.Mkdir(filepath.Join(f.repo, "no.tgz"), 0o755))
	must(t, os.Symlink("no.tgz", filepath.Join(f.repo, "dir.tgz")))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	look := func(when string, want map[string]bool) {
		t.Helper()
		for name, served := range want {
			file, ok := r.View().File(name)
			if ok != served {
				t.Errorf("%s: %s served %v, want %v", when, name, ok, served)
			}
			if ok && (file.Archive != strings.HasSuffix(name, ".tgz") || file.Immutable || file.Name != name) {
				t.Errorf("%s: %+v", when, file)
			}
			if ok && `"`+readServed(t, r.View(), name)+`"` != file.ETag {
				t.Errorf("%s: %s has other bytes than its ETag", when, name)
			}
		}
	}
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
	look("at first", map[string]bool{
		"a-1.0.0.tgz": true, "a-1.0.0.tgz.prov": true, "sub/deep/b.tgz": true, "sub/deep/b.tgz.prov": true, "artifacthub-repo.yml": true, "sub/by-digest/a2.tgz": true,
		"index.json": false, "index.yaml": false, "sub/readme": false, ".hidden/a.tgz": false, ".x.tgz": false, "dir.prov": false, "passwd": false, "dir.tgz": false, ".lock": false,
	})
	if got := reasons(r.Status()); !strings.Contains(got, "dir.tgz: ") || !strings.Contains(got, "not a regular file") || len(r.Status().Failures) != 1 {
		t.Errorf("reasons: %s", got)
	}
	must(t, os.WriteFile(filepath.Join(f.repo, "artifacthub-repo.yml"), []byte("owners: {}\n"), 0o644))
	must(t, os.Remove(filepath.Join(f.repo, "a-1.0.0.tgz.prov")))
	must(t, os.RemoveAll(filepath.Join(f.repo, "sub")))
	must(t, os.Remove(filepath.Join(f.repo, "dir.tgz")))
	must(t, os.WriteFile(filepath.Join(f.repo, "a-1.0.0.tgz"), []byte("half"), 0o644))
	must(t, r.Build(context.Background()))
	wantNames(t, f.names())
	look("after changes", map[string]bool{"a-1.0.0.tgz": false, "a-1.0.0.tgz.prov": false, "sub/deep/b.tgz": false, "sub/deep/b.tgz.prov": false, "artifacthub-repo.yml": true})
	if got := reasons(r.Status()); !strings.Contains(got, "a-1.0.0.tgz: ") || len(r.Status().Failures) != 1 {
		t.Errorf("reasons: %s", got)
	}
	must(t, os.Remove(filepath.Join(f.repo, "a-1.0.0.tgz")))
	must(t, os.Remove(filepath.Join(f.repo, "artifacthub-repo.yml")))
	must(t, r.Build(context.Background()))
	look("removed", map[string]bool{"artifacthub-repo.yml": false})
	if got := reasons(r.Status()); got != "" {
		t.Errorf("reasons: %s", got)
	}
}

// The same as events of the folder: each path alone.
func TestFolderEvents(t *testing.T) {
	f := newFixture(t)
	f.opts.Sources = nil
	a, b := string(archiveOf(t, "a", "1.0.0")), string(archiveOf(t, "b", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	steps := []struct {
		what   string
		do     func()
		paths  []string
		names  []string
		served map[string]bool
	}{
		{"a directory", func() { write(t, f.repo, map[string]string{"sub/a.tgz": a, "sub/a.tgz.prov": "x", "subway.tgz": b}) }, []string{"sub", "subway.tgz"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"sub/a.tgz": true, "sub/a.tgz.prov": true}},
		{"hidden things", func() { write(t, f.repo, map[string]string{".h/x.tgz": a, ".x.tgz": a, "sub/.y.tgz": a, ".note": "x"}) }, []string{".h", ".h/x.tgz", ".x.tgz", "sub/.y.tgz", ".note", "."}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{".h/x.tgz": false, ".x.tgz": false, "sub/.y.tgz": false, ".note": false}},
		{"content addresses", func() { write(t, f.repo, map[string]string{"by-digest/00/x.tgz": a}) }, []string{"by-digest", "by-digest/00", "by-digest/00/x.tgz"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"by-digest/00/x.tgz": false}},
		{"a plain file", func() { write(t, f.repo, map[string]string{"note": "x"}) }, []string{"note"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"note": true}},
		{"a plain file that goes", func() { must(t, os.Remove(filepath.Join(f.repo, "note"))) }, []string{"note"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"note": false}},
		{"a plain file that is moved away", func() {
			write(t, f.repo, map[string]string{"note": "x"})
			must(t, r.Build(t.Context()))
			must(t, os.Rename(filepath.Join(f.repo, "note"), f.repo+".note"))
		}, []string{"note"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"note": false}},
		{"and back", func() { must(t, os.Rename(f.repo+".note", filepath.Join(f.repo, "note"))) }, []string{"note"}, []string{"a-1.0.0", "b-1.0.0"}, map[string]bool{"note": true}},
		{"a directory that goes", func() { must(t, os.RemoveAll(filepath.Join(f.repo, "sub"))) }, []string{"sub"}, []string{"b-1.0.0"}, map[string]bool{"sub/a.tgz": false, "sub/a.tgz.prov": false, "subway.tgz": true}},
		{"an archive that goes", func() { must(t, os.Remove(filepath.Join(f.repo, "subway.tgz"))) }, []string{"subway.tgz"}, nil, map[string]bool{"subway.tgz": false}},
		{"index.yaml that goes", func() { must(t, os.Remove(filepath.Join(f.repo, "index.yaml"))) }, []string{"index.yaml"}, nil, nil},
	}
	for _, s := range steps {
		s.do()
		ch := watch.Change{}
		for _, p := range s.paths {
			ch.Paths = append(ch.Paths, filepath.Join(f.repo, p))
		}
		must(t, r.pass(context.Background(), mail{change: ch}))
		if got := f.names(); strings.Join(got, " ") != strings.Join(s.names, " ") {
			t.Errorf("%s: index has %v, want %v", s.what, got, s.names)
		}
		for name, want := range s.served {
			if _, ok := r.View().File(name); ok != want {
				t.Errorf("%s: %s served %v, want %v", s.what, name, ok, want)
			}
		}
	}
}
