package repo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/index"
	"chartserve/internal/store"
)

// indexed is the folder's index as "NAME-VERSION URL", in its order.
func indexed(t testing.TB, dir string) []string {
	t.Helper()
	file, err := index.Decode(mustRead(t, filepath.Join(dir, store.IndexName)))
	must(t, err)
	var all []string
	for _, e := range file.Entries {
		all = append(all, e.Name+"-"+e.Version+" "+e.URL)
	}
	return all
}

func TestIndexFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a-1.0.0.tgz": string(archiveOf(t, "a", "1.0.0")), "deep/b.tgz": string(archiveOf(t, "b", "1.0.0+x")), "bad.tgz": "x",
		"w.tgz": string(warned(t)),
		"old.yaml": "apiVersion: v1\nentries:\n  a:\n  - {name: a, version: 1.0.0, urls: [\"http://old.example.com/a-1.0.0.tgz\"]}\n" +
			"  - {name: a, version: 0.9.0, urls: [\"http://old.example.com/a-0.9.0.tgz\"]}\n  - {name: a, version: 0.9.0, urls: [\"http://twice.example.com/a-0.9.0.tgz\"]}\n" +
			"  c:\n  - {name: c, version: 3.0.0, urls: [\"http://old.example.com/c-3.0.0.tgz\"]}\n  - {name: c, version: three, urls: [x]}\n",
	})
	var log bytes.Buffer
	o := Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	st, err := IndexFolder(context.Background(), dir, filepath.Join(dir, "old.yaml"), o)
	must(t, err)
	wantNames(t, indexed(t, dir), "a-1.0.0 a-1.0.0.tgz", "a-0.9.0 http://old.example.com/a-0.9.0.tgz", "b-1.0.0+x deep/b.tgz", "c-3.0.0 http://old.example.com/c-3.0.0.tgz", "w-1.0.0 w.tgz")
	if st.Charts != 4 || st.Archives != 5 || len(st.Failures) != 1 || !strings.Contains(st.Failures[0].Path, "bad.tgz") || st.Repository != dir || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Path, "w.tgz") {
		t.Errorf("%+v", st)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 2 || !strings.Contains(log.String(), "three") || !strings.Contains(log.String(), "there twice") {
		t.Errorf("%d warnings, want the two entries that can't be merged:\n%s", got, &log)
	}
	path := filepath.Join(dir, store.IndexName)
	if fi, err := os.Stat(path); err != nil || fi.Mode() != 0o644 {
		t.Errorf("index.yaml: %v, %v", fi, err)
	}
	must(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(mustRead(t, path)), "1980-", "2019-")), 0o644))
	before := mustRead(t, path)
	o.Strict = true
	if _, err := IndexFolder(context.Background(), dir, "", o); !errors.Is(err, ErrBadCharts) || !bytes.Equal(mustRead(t, path), before) {
		t.Errorf("strict: %v, or index.yaml was written", err)
	}
	must(t, os.Remove(filepath.Join(dir, "bad.tgz")))
	_, err = IndexFolder(context.Background(), dir, "", o)
	must(t, err)
	wantNames(t, indexed(t, dir), "a-1.0.0 a-1.0.0.tgz", "b-1.0.0+x deep/b.tgz", "w-1.0.0 w.tgz")
	if !strings.Contains(string(mustRead(t, path)), "2019-") {
		t.Error("the creation times were not taken over")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for name, want := range map[string]string{filepath.Join(dir, "none"): "name the folder", filepath.Join(dir, "old.yaml"): "is a file"} {
		if _, err := IndexFolder(context.Background(), name, "", o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{filepath.Join(dir, "none"): "index to merge", filepath.Join(dir, "a-1.0.0.tgz"): "index to merge"} {
		if _, err := IndexFolder(context.Background(), dir, name, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("merge of %s: %v", name, err)
		}
	}
}
