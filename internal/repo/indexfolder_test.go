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
	"time"

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
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	o := Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }}
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
	must(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(mustRead(t, path)), "2026-05", "2019-05")), 0o644))
	before := mustRead(t, path)
	o.Strict = true
	if _, err := IndexFolder(context.Background(), dir, "", o); !errors.Is(err, ErrBadCharts) || !bytes.Equal(mustRead(t, path), before) {
		t.Errorf("strict: %v, or index.yaml was written", err)
	}
	must(t, os.Remove(filepath.Join(dir, "bad.tgz")))
	_, err = IndexFolder(context.Background(), dir, "", o)
	must(t, err)
	wantNames(t, indexed(t, dir), "a-1.0.0 a-1.0.0.tgz", "b-1.0.0+x deep/b.tgz", "w-1.0.0 w.tgz")
	if text := string(mustRead(t, path)); strings.Count(text, "created: \"2019-05-06T07:08:09Z\"") != 3 {
		t.Errorf("the creation times were not taken over:\n%s", text)
	}
	now = now.Add(time.Hour)
	write(t, dir, map[string]string{"a-1.0.0.tgz": string(archiveOf(t, "a", "1.0.1"))})
	_, err = IndexFolder(context.Background(), dir, "", o)
	must(t, err)
	if text := string(mustRead(t, path)); strings.Count(text, "created: \"2019-05-06T07:08:09Z\"") != 2 || strings.Count(text, "created: \"2026-05-06T08:08:09Z\"") != 1 {
		t.Errorf("a new archive is not of now, or the others are:\n%s", text)
	}
	o.Timestamp = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = IndexFolder(context.Background(), dir, "", o)
	must(t, err)
	if text := string(mustRead(t, path)); strings.Count(text, "created: \"2024-01-01T00:00:00Z\"") != 3 {
		t.Errorf("SOURCE_DATE_EPOCH does not rule:\n%s", text)
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
	if _, err := IndexFolder(context.Background(), dir, filepath.Join(dir, "a-1.0.0.tgz"), o); err == nil || !strings.Contains(err.Error(), "index to merge") {
		t.Errorf("merge of an archive: %v", err)
	}
	log.Reset()
	if _, err := IndexFolder(context.Background(), dir, filepath.Join(dir, "none.yaml"), o); err != nil || !strings.Contains(log.String(), "none.yaml") {
		t.Errorf("merge of a file that is not there: %v; log: %s", err, &log)
	}
}

// Archives that a chart holds are no charts of the folder.
func TestIndexFolderLeavesChartsAlone(t *testing.T) {
	dir := t.TempDir()
	a := func(name string) string { return string(archiveOf(t, name, "1.0.0")) }
	write(t, dir, map[string]string{
		"nova/Chart.yaml": "name: nova\nversion: 1.0.0\n", "nova/charts/sub.tgz": a("sub"), "nova/deep/er/x.tgz": a("x"), "nova-2/w.tgz": a("w"),
		"charts/z.tgz": a("z"), "top.tgz": a("top"),
	})
	_, err := IndexFolder(context.Background(), dir, "", Options{})
	must(t, err)
	wantNames(t, indexed(t, dir), "top-1.0.0 top.tgz", "w-1.0.0 nova-2/w.tgz", "z-1.0.0 charts/z.tgz")
	write(t, dir, map[string]string{"Chart.yaml": "name: top\nversion: 1.0.0\n"})
	_, err = IndexFolder(context.Background(), dir, "", Options{})
	must(t, err)
	wantNames(t, indexed(t, dir), "top-1.0.0 top.tgz", "w-1.0.0 nova-2/w.tgz")
}

// The URL is what Helm takes for its own index (pkg/urlutil, URLJoin).
func TestIndexFolderURLs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0"))})
	for base, want := range map[string]string{
		"": "a.tgz", "charts": "charts/a.tgz", "/charts/": "/charts/a.tgz", "s3://b/charts": "s3://b/charts/a.tgz",
		"http://h": "http://h/a.tgz", "ftp://h/x": "ftp://h/x/a.tgz",
	} {
		_, err := IndexFolder(context.Background(), dir, "", Options{URL: base})
		must(t, err)
		wantNames(t, indexed(t, dir), "a-1.0.0 "+want)
	}
	for _, base := range []string{"http://", "https:charts", "http://[::1", "%zz", ":"} {
		if _, err := IndexFolder(context.Background(), dir, "", Options{URL: base}); err == nil || !strings.Contains(err.Error(), "url ") {
			t.Errorf("%q: %v", base, err)
		}
	}
}
