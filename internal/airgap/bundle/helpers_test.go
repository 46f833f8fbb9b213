package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spec is a chart of a test's folder: "NAME VERSION", and what makes its bytes its
// own.
type spec struct {
	name, version string
	text          string
	prov          bool
}

func (s spec) file() string {
	return (&chart.Metadata{Name: s.name, Version: s.version}).ArchiveName()
}

// archive packs the chart.
func (s spec) archive(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %s\n", s.name, s.version), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "values.yaml"), []byte("a: "+s.text+"\n"), 0o644))
	tree, err := pkgr.NewChecker(pkgr.Limits{}).List(dir, []string{dir}, nil)
	must(t, err)
	c, err := tree.Load()
	must(t, err)
	var b bytes.Buffer
	_, err = pkgr.NewPacker(time.Time{}).Pack(&b, c)
	must(t, err)
	return b.Bytes()
}

// created is when the charts of a test are from, by their index.
func created() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) }

// folderOf makes a repository folder of the charts.
func folderOf(t testing.TB, charts ...spec) string {
	t.Helper()
	dir := t.TempDir()
	byName := map[string][]*index.Entry{}
	for _, c := range charts {
		data := c.archive(t)
		must(t, os.WriteFile(filepath.Join(dir, c.file()), data, 0o644))
		if c.prov {
			must(t, os.WriteFile(filepath.Join(dir, c.file()+".prov"), []byte("signed: "+c.text+"\n"), 0o644))
		}
		info, err := pkgr.NewChecker(pkgr.Limits{}).Check(bytes.NewReader(data))
		must(t, err)
		e, err := index.NewEntry(info.Metadata, index.FileURL("", c.file()), info.Digest, created())
		must(t, err)
		byName[c.name] = append(byName[c.name], e)
	}
	writeIndex(t, dir, byName)
	return dir
}

func writeIndex(t testing.TB, dir string, byName map[string][]*index.Entry) {
	t.Helper()
	b := index.NewBuilder(index.Auto)
	for name, entries := range byName {
		b.Set(name, entries)
	}
	must(t, os.WriteFile(filepath.Join(dir, IndexName), b.Encode().YAML.Data.Bytes(), 0o644))
}

// bytesOf is the bundle of a folder.
func bytesOf(t testing.TB, folder string, o CreateOptions) ([]byte, *Manifest) {
	t.Helper()
	var b bytes.Buffer
	m, err := Create(context.Background(), folder, &b, o)
	must(t, err)
	return b.Bytes(), m
}

// fileOf writes a bundle into a file.
func fileOf(t testing.TB, folder string, o CreateOptions) (string, *Manifest) {
	t.Helper()
	data, m := bytesOf(t, folder, o)
	path := filepath.Join(t.TempDir(), "site.tar")
	must(t, os.WriteFile(path, data, 0o644))
	return path, m
}

// takeIn lets the repository on the folder take in what was delivered.
func takeIn(t testing.TB, dir string) {
	t.Helper()
	r, err := repo.Open(dir, repo.Options{})
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
}

// load loads and takes in.
func load(t testing.TB, dir string, paths ...string) *Loaded {
	t.Helper()
	done, err := Load(context.Background(), paths, dir, ReadOptions{})
	must(t, err)
	takeIn(t, dir)
	return done
}

// visible is all that a folder serves: paths and contents, without what begins
// with a dot.
func visible(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err) && name == ".":
			return fs.SkipAll
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(data)
		return err
	})
	must(t, err)
	return files
}

// some are a few charts with all that a name can have.
func some() []spec {
	return []spec{
		{name: "nova", version: "1.0.0+abc", text: "1"}, {name: "nova", version: "1.0.0+def", text: "2", prov: true},
		{name: "keystone", version: "0.1.0", text: "3", prov: true},
		{name: "a-chart-" + strings.Repeat("with-a-long-name-", 8), version: "1.0.0", text: "4", prov: true},
	}
}
