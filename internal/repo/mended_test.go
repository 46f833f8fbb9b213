package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/store"
	"chartserve/internal/unixtest"
	"chartserve/internal/watch"
)

// After a pass that failed the next one looks at everything, whatever it was called
// for.
func TestPassAfterAFailedOne(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	indexPath := filepath.Join(f.repo, "index.yaml")
	must(t, os.Remove(indexPath))
	write(t, indexPath, map[string]string{"in/the/way": ""})
	f.add(chartFiles("b", "b", "1.0.0"))
	if err := r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}); err == nil {
		t.Fatal("the index was written over a directory")
	}
	must(t, os.RemoveAll(indexPath))
	must(t, r.pass(context.Background(), mail{change: watch.Change{Paths: []string{filepath.Join(f.tree, "a", "x")}}}))
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
	f.checkWhole()
}

// The index of a pass that failed is not shown by what compresses it after the first
// pass.
func TestCompressAfterAFailedPass(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	before := r.View().Index.YAML.ETag
	f.fail(func(op, name string) error {
		if op == "rename" && name == store.IndexName {
			return syscall.EIO
		}
		return nil
	})
	f.add(chartFiles("b", "b", "1.0.0"))
	if err := r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the pass ended with %v", err)
	}
	if r.compress() || r.View().Index.YAML.ETag != before {
		t.Error("an index is shown that is not on disk")
	}
	f.fail(nil)
	must(t, r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}))
	if !r.compress() || r.View().Index.YAML.ETag == before {
		t.Error("the index is still the old one")
	}
	f.checkWhole()
}

// What there is to say of a chart is said at each start, also when nothing of it is
// read again; a failure names the chart.
func TestWarningsOverRestarts(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: 1.10\n"}, chartFiles("bad", "bad", "2.0.0", "gone ^1 file://../gone"))
	for i := range 2 {
		st := f.build()
		if len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Message, "appVersion") {
			t.Errorf("build %d: warnings %v", i, st.Warnings)
		}
		if len(st.Failures) != 1 || st.Failures[0].Name != "bad" || st.Failures[0].Version != "2.0.0" {
			t.Errorf("build %d: failures %+v", i, st.Failures)
		}
	}
	var log bytes.Buffer
	o := PackageOptions{Options: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
	if _, failures, err := Package(context.Background(), []string{filepath.Join(f.tree, "a")}, t.TempDir(), o); err != nil || len(failures) > 0 {
		t.Fatal(failures, err)
	}
	if !strings.Contains(log.String(), "appVersion") {
		t.Errorf("package says nothing of it: %q", log.String())
	}
}

// A chart whose dependencies are what it brings along keeps its lock.
func TestLockOfVendoredStays(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0", "lib ^1 https://charts.example.com"), chartFiles("a/charts/lib", "lib", "1.0.0"),
		map[string]string{"a/Chart.lock": "dependencies:\n- name: lib\n  version: 1.0.0\n  repository: https://charts.example.com\ndigest: x\n"})
	f.build()
	names := f.files("a-1.0.0.tgz")
	if !strings.Contains(names, " Chart.lock ") {
		t.Errorf("the archive holds%s", names)
	}
}

// files are the names of an archive's own files, each between blanks.
func (f *fixture) files(archive string) string {
	f.t.Helper()
	names := " "
	for _, file := range f.chart(archive).Files {
		names += file.Name + " "
	}
	return names
}

// Of many charts with one name and version the first by path counts, every time;
// and once there is no other, nothing is reported any more.
func TestClashIsDecidedByPath(t *testing.T) {
	f := newFixture(t)
	for i := range 9 {
		f.add(map[string]string{fmt.Sprintf("d%d/Chart.yaml", i): fmt.Sprintf("apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: number %d\n", i)})
	}
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	for first := range 9 {
		must(t, r.Build(context.Background()))
		if got, want := f.chart("a-1.0.0.tgz").Metadata.Description, fmt.Sprintf("number %d", first); got != want {
			t.Errorf("published is %q, want %q", got, want)
		}
		if got := len(r.Status().Failures); got != 8-first {
			t.Errorf("%d failures, want %d: %s", got, 8-first, reasons(r.Status()))
		}
		f.remove(fmt.Sprintf("d%d", first))
	}
}

// What is neither file nor directory in the repository folder is not opened: a FIFO
// would hold up the start.
func TestFIFOInTheFolder(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	for _, name := range []string{"note", "x-1.0.0.tgz", "a-1.0.0.tgz.prov"} {
		must(t, unixtest.Fifo(filepath.Join(f.repo, name)))
	}
	done := make(chan Status, 1)
	go func() { done <- f.build() }()
	select {
	case st := <-done:
		if st.Archives != 1 || len(st.Failures) != 1 {
			t.Errorf("%d archives, failures %v", st.Archives, st.Failures)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for the FIFO")
	}
}

// An archive that was damaged in the folder is made again from its source, and is
// nobody's failure.
func TestDamagedArchiveIsMadeAgain(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	want := f.index()["a-1.0.0"]
	must(t, os.WriteFile(filepath.Join(f.repo, "a-1.0.0.tgz"), []byte("damaged"), 0o644))
	if st := f.build(); len(st.Failures) > 0 || f.index()["a-1.0.0"] != want {
		t.Errorf("failures %v, digest %s, want %s", st.Failures, f.index()["a-1.0.0"], want)
	}
	f.checkWhole()
}

// What chartserve writes is dated back, so that the next start need not read it.
func TestArchivesAreSettled(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	fi, err := os.Stat(filepath.Join(f.repo, "a-1.0.0.tgz"))
	must(t, err)
	if !fileid.Settled(fi.ModTime(), time.Now()) {
		t.Errorf("the archive is of %v", fi.ModTime())
	}
}
