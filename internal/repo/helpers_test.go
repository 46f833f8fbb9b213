package repo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/watch"
)

// Names in a repository folder, as package store documents them.
const (
	stateName    = ".state"
	tempPrefix   = ".tmp-"
	digestFolder = "by-digest"
)

// write makes the files of a tree; names end in / for directories.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// redated is an index with another date in the place of each.
func redated(index []byte) string {
	return regexp.MustCompile(`"20\d\d-[^"]*Z"`).ReplaceAllString(string(index), `"2019-02-21T11:57:00Z"`)
}

// settledNow is a clock by which all files of the test have settled.
func settledNow() time.Time { return time.Now().Add(10 * time.Second) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chartFiles are the files of a small v2 chart in dir; each of deps is
// "NAME CONSTRAINT REPOSITORY".
func chartFiles(dir, name, version string, deps ...string) map[string]string {
	text := fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)
	for i, d := range deps {
		if i == 0 {
			text += "dependencies:\n"
		}
		f := strings.Fields(d)
		text += fmt.Sprintf("- name: %s\n  version: %q\n", f[0], strings.ReplaceAll(f[1], "_", " "))
		if len(f) > 2 {
			text += fmt.Sprintf("  repository: %q\n", f[2])
		}
	}
	return map[string]string{dir + "/Chart.yaml": text, dir + "/templates/cm.yaml": "kind: ConfigMap # " + name + "\n"}
}

// warned is an archive of w-1.0.0 that deserves a warning.
func warned(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for _, m := range [][2]string{{"w/Chart.yaml", "apiVersion: v2\nname: w\nversion: 1.0.0\n"}, {"w/values.schema.json", "{"}} {
		must(t, tw.WriteHeader(&tar.Header{Name: m[0], Mode: 0o644, Size: int64(len(m[1])), Typeflag: tar.TypeReg}))
		_, err := tw.Write([]byte(m[1]))
		must(t, err)
	}
	must(t, errors.Join(tw.Close(), zw.Close()))
	return buf.Bytes()
}

// tarball is a gzipped tar of empty files.
func tarball(t testing.TB, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for _, name := range names {
		must(t, tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg}))
	}
	must(t, errors.Join(tw.Close(), zw.Close()))
	return buf.Bytes()
}

// fixture is a source tree beside a repository folder.
type fixture struct {
	t          testing.TB
	tree, repo string
	opts       Options
	fault      atomic.Pointer[func(op, name string) error]
}

// fail lets operations on the repository folder fail, as store.Options.Fault says;
// nil: none.
func (f *fixture) fail(fault func(op, name string) error) { f.fault.Store(&fault) }

func newFixture(t testing.TB) *fixture {
	base, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	f := &fixture{t: t, tree: filepath.Join(base, "tree"), repo: filepath.Join(base, "repo")}
	must(t, os.MkdirAll(f.tree, 0o755))
	f.setOptions(Options{})
	return f
}

// setOptions gives f options, its tree as the one SOURCE, and what fail says.
func (f *fixture) setOptions(o Options) {
	f.opts = o
	f.opts.Sources = []string{f.tree}
	f.opts.fault = func(op, name string) error {
		if fault := f.fault.Load(); fault != nil && *fault != nil {
			return (*fault)(op, name)
		}
		return nil
	}
}

func (f *fixture) add(files ...map[string]string) {
	f.t.Helper()
	for _, m := range files {
		write(f.t, f.tree, m)
	}
}

// build runs one build of a newly opened repository.
func (f *fixture) build() Status {
	f.t.Helper()
	r, err := Open(f.repo, f.opts)
	must(f.t, err)
	must(f.t, r.Build(context.Background()))
	st := r.Status()
	must(f.t, r.Close())
	return st
}

// index reads index.yaml as a client would: "NAME-VERSION" to digest.
func (f *fixture) index() map[string]string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.repo, "index.yaml"))
	must(f.t, err)
	file, err := index.Decode(data)
	must(f.t, err)
	out := map[string]string{}
	for _, e := range file.Entries {
		out[e.Name+"-"+e.Version] = e.Digest
	}
	return out
}

// names are the index's versions, sorted.
func (f *fixture) names() []string {
	f.t.Helper()
	var names []string
	for n := range f.index() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// checkWhole compares every digest in the index with the file that it names.
func (f *fixture) checkWhole() {
	f.t.Helper()
	for name, digest := range f.index() {
		data, err := os.ReadFile(filepath.Join(f.repo, name+".tgz"))
		must(f.t, err)
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
			f.t.Errorf("%s: the index has another digest than the file", name)
		}
	}
}

// chart reads an archive.
func (f *fixture) chart(archive string) *pkgr.Chart {
	f.t.Helper()
	file, err := os.Open(filepath.Join(f.repo, archive))
	must(f.t, err)
	defer file.Close()
	c, err := pkgr.NewChecker(pkgr.Limits{}).Read(file)
	must(f.t, err)
	return c
}

// members are the names of an archive's sub-charts, as NAME-VERSION, any depth.
func (f *fixture) members(archive string) []string {
	f.t.Helper()
	var names []string
	var walk func(*pkgr.Chart, string)
	walk = func(c *pkgr.Chart, prefix string) {
		for _, s := range c.Subcharts {
			name := prefix + s.Metadata.Name + "-" + s.Metadata.Version
			names = append(names, name)
			walk(s, name+"/")
		}
	}
	walk(f.chart(archive), "")
	return names
}

func reasons(st Status) string {
	var lines []string
	for _, f := range st.Failures {
		lines = append(lines, filepath.Base(f.Path)+": "+f.Reason)
	}
	return strings.Join(lines, "\n")
}

func wantNames(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// signed begins as a provenance does.
const signed = "-----BEGIN PGP SIGNED MESSAGE-----\n"

// changeOf is the event that something happened at the paths.
func changeOf(paths ...string) watch.Change { return watch.Change{Paths: paths} }

// open opens the repository and builds it once.
func (f *fixture) open() *Repository {
	f.t.Helper()
	r, err := Open(f.repo, f.opts)
	must(f.t, err)
	f.t.Cleanup(func() { r.Close() })
	must(f.t, r.Build(f.t.Context()))
	return r
}

func rescan() mail { return mail{change: watch.Change{Rescan: true}} }
