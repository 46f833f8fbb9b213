package index

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartserve/internal/chart"
)

// compareRecord compares a record with what chart.Metadata's own JSON says.
func compareRecord(t *testing.T, md *chart.Metadata, url, digest string, created time.Time, got []byte) {
	t.Helper()
	data, err := json.Marshal(struct {
		*chart.Metadata
		URLs    []string  `json:"urls"`
		Created time.Time `json:"created"`
		Digest  string    `json:"digest,omitempty"`
	}{md, []string{url}, created, digest})
	if err != nil {
		t.Fatal(err)
	}
	var wantFields, gotFields map[string]any
	if err := errors.Join(json.Unmarshal(data, &wantFields), json.Unmarshal(got, &gotFields)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantFields, gotFields); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestRecord(t *testing.T) {
	created := time.Date(2021, 2, 3, 4, 5, 6, 780000000, time.UTC)
	for _, text := range nasty() {
		md := fullMetadata(text)
		e, err := NewEntry(md, "u"+text, text, created)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		compareRecord(t, md, "u"+text, text, created, e.Record)
	}
}

func FuzzRecord(f *testing.F) {
	for _, text := range nasty() {
		f.Add(text, "b", int64(1))
	}
	f.Fuzz(func(t *testing.T, a, b string, sec int64) {
		created := time.Unix(sec%(1<<35), sec%1000).UTC()
		md := fullMetadata(a)
		md.Description, md.Annotations = b, map[string]string{b: a}
		e, err := NewEntry(md, "u"+b, a, created)
		if err != nil {
			return
		}
		compareRecord(t, md, "u"+b, a, created, e.Record)
	})
}

func TestNewEntry(t *testing.T) {
	md := &chart.Metadata{
		APIVersion: "v2", Name: "nova", Version: "1.2.3+a", AppVersion: "29", Description: "Compute \xff", Deprecated: true,
	}
	created := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("KST", 9*3600))
	got, err := NewEntry(md, "nova-1.2.3%2Ba.tgz", "abc", created)
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{
		Name: "nova", Version: "1.2.3+a", AppVersion: "29", Description: "Compute \uFFFD", Deprecated: true,
		URL: "nova-1.2.3%2Ba.tgz", Digest: "abc", Created: time.Date(2026, 1, 1, 18, 4, 5, 6, time.UTC),
		Record: []byte(`{"name":"nova","version":"1.2.3+a","description":"Compute \ufffd","apiVersion":"v2","appVersion":"29","deprecated":true,` +
			`"created":"2026-01-01T18:04:05.000000006Z","digest":"abc","urls":["nova-1.2.3%2Ba.tgz"]}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestNewEntryErrors(t *testing.T) {
	long := strings.Repeat("k", maxKey-1)
	var deep any = "x"
	for range maxDepth + 1 {
		deep = []any{deep}
	}
	now := time.Unix(0, 0)
	for name, c := range map[string]struct {
		edit    func(md *chart.Metadata)
		url     string
		created time.Time
		want    string
	}{
		"no name":         {func(md *chart.Metadata) { md.Name = "" }, "u", now, "name"},
		"no version":      {func(md *chart.Metadata) { md.Version = "" }, "u", now, "version"},
		"no URL":          {func(md *chart.Metadata) {}, "", now, "URL"},
		"year 10000":      {func(md *chart.Metadata) {}, "u", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year outside of range"},
		"year -1":         {func(md *chart.Metadata) {}, "u", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "year outside of range"},
		"long name":       {func(md *chart.Metadata) { md.Name = long }, "u", now, "name"},
		"long annotation": {func(md *chart.Metadata) { md.Annotations = map[string]string{long: ""} }, "u", now, "annotations"},
		"large":           {func(md *chart.Metadata) { md.Description = strings.Repeat("x", MaxEntry) }, "u", now, "entry in the index has 10486"},
		"null maintainer": {func(md *chart.Metadata) { md.Maintainers = []*chart.Maintainer{nil} }, "u", now, "maintainers"},
		"null dependency": {func(md *chart.Metadata) { md.Dependencies = []*chart.Dependency{nil} }, "u", now, "dependencies"},
		"long import key": {func(md *chart.Metadata) {
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{map[string]any{long: 1.0}}}}
		}, "u", now, "import-values"},
		"deep import": {func(md *chart.Metadata) {
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{deep}}}
		}, "u", now, "deeper"},
		"strange import": {func(md *chart.Metadata) {
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{make(chan int)}}}
		}, "u", now, "unsupported type"},
		"import key not UTF-8": {func(md *chart.Metadata) {
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{map[string]any{"a\xff": 1.0}}}}
		}, "u", now, "UTF-8"},
		"annotation not UTF-8": {func(md *chart.Metadata) { md.Annotations = map[string]string{"a\xff": ""} }, "u", now, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			md := &chart.Metadata{Name: "nova", Version: "1.0.0"}
			c.edit(md)
			_, err := NewEntry(md, c.url, "", c.created)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	md := &chart.Metadata{Name: "nova", Version: "1.0.0", Annotations: map[string]string{long: ""}}
	if _, err := NewEntry(md, "u", "", now); !errors.Is(err, chart.ErrMetadata) {
		t.Errorf("got %v, want chart.ErrMetadata", err)
	}
}

func TestWithURL(t *testing.T) {
	md := fullMetadata(`,"urls":["x"],"version":`)
	md.Dependencies[0].ImportValues = []any{map[string]any{"a": 1.0, "urls": []any{"z"}, "version": "3"}}
	when := time.Unix(1, 0)
	for _, url := range append(nasty(), "https://example.org/charts/nova-1.0.0%2Ba.tgz") {
		e, err := NewEntry(md, "nova-1.0.0.tgz", "d", when)
		if err != nil {
			t.Fatal(err)
		}
		before := string(e.Record)
		got, err := e.WithURL(url)
		if err != nil {
			t.Fatal(err)
		}
		want, err := NewEntry(md, url, "d", when)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: want (-), got (+):\n%s", url, diff)
		}
		if string(e.Record) != before || e.URL != "nova-1.0.0.tgz" {
			t.Errorf("%q: WithURL changed the entry that it was given", url)
		}
	}
	if _, err := entry(t, metadata("a", "1.0.0")).WithURL(""); err == nil {
		t.Error("an empty URL was taken")
	}
}
