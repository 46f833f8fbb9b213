package index

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartserve/internal/chart"
)

// sortedWire is wire with the keys in the Record's order: the oracle for
// appendRecord.
type sortedWire struct {
	Annotations  map[string]string  `json:"annotations,omitempty"`
	APIVersion   string             `json:"apiVersion,omitempty"`
	AppVersion   string             `json:"appVersion,omitempty"`
	Condition    string             `json:"condition,omitempty"`
	Created      time.Time          `json:"created"`
	Dependencies []sortedDependency `json:"dependencies,omitempty"`
	Deprecated   bool               `json:"deprecated,omitempty"`
	Description  string             `json:"description,omitempty"`
	Digest       string             `json:"digest,omitempty"`
	Home         string             `json:"home,omitempty"`
	Icon         string             `json:"icon,omitempty"`
	Keywords     []string           `json:"keywords,omitempty"`
	KubeVersion  string             `json:"kubeVersion,omitempty"`
	Maintainers  []sortedMaintainer `json:"maintainers,omitempty"`
	Name         string             `json:"name,omitempty"`
	Sources      []string           `json:"sources,omitempty"`
	Tags         string             `json:"tags,omitempty"`
	Type         string             `json:"type,omitempty"`
	URLs         []string           `json:"urls"`
	Version      string             `json:"version,omitempty"`
}

type sortedDependency struct {
	Alias        string   `json:"alias,omitempty"`
	Condition    string   `json:"condition,omitempty"`
	Enabled      bool     `json:"enabled,omitempty"`
	ImportValues []any    `json:"import-values,omitempty"`
	Name         string   `json:"name"`
	Repository   string   `json:"repository"`
	Tags         []string `json:"tags,omitempty"`
	Version      string   `json:"version,omitempty"`
}

type sortedMaintainer struct {
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
}

// oracle is what encoding/json makes of an entry, with the escapes that YAML needs.
func oracle(t *testing.T, md *chart.Metadata, url, digest string, created time.Time) string {
	t.Helper()
	w := sortedWire{
		Annotations: md.Annotations, APIVersion: md.APIVersion, AppVersion: md.AppVersion, Condition: md.Condition,
		Created: created, Deprecated: md.Deprecated, Description: md.Description, Digest: digest, Home: md.Home,
		Icon: md.Icon, Keywords: md.Keywords, KubeVersion: md.KubeVersion, Name: md.Name, Sources: md.Sources,
		Tags: md.Tags, Type: md.Type, URLs: []string{url}, Version: md.Version,
	}
	for _, d := range md.Dependencies {
		w.Dependencies = append(w.Dependencies, sortedDependency{
			d.Alias, d.Condition, d.Enabled, d.ImportValues, d.Name, d.Repository, d.Tags, d.Version,
		})
	}
	for _, m := range md.Maintainers {
		w.Maintainers = append(w.Maintainers, sortedMaintainer{m.Email, m.Name, m.URL})
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, r := range strings.TrimSuffix(buf.String(), "\n") {
		if r >= 0x7f && unsafeRune(r) || r == 0x7f {
			out = appendEscape(out, r)
			continue
		}
		out = append(out, string(r)...)
	}
	// encoding/json escapes the stand-in for bytes that are not UTF-8.
	return strings.ReplaceAll(string(out), `\ufffd`, "\uFFFD")
}

func TestRecordMatchesEncodingJSON(t *testing.T) {
	created := time.Date(2021, 2, 3, 4, 5, 6, 780000000, time.UTC)
	for _, text := range nasty() {
		if strings.Contains(text, `\u`) || strings.Contains(text, `\`) {
			continue // the oracle's replacements can't tell these apart
		}
		md := fullMetadata(text)
		e, err := NewEntry(md, "u"+text, text, created)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(oracle(t, md, "u"+text, text, created), string(e.Record)); diff != "" {
			t.Errorf("%q: encoding/json (-), ours (+):\n%s", text, diff)
		}
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
		var got, want any
		if err := json.Unmarshal(e.Record, &got); err != nil {
			t.Fatalf("%v\n%s", err, e.Record)
		}
		if strings.Contains(a+b, `\`) {
			return // see TestRecordMatchesEncodingJSON
		}
		text := oracle(t, md, "u"+b, a, created)
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if text != string(e.Record) || !cmp.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", e.Record, text)
		}
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
		Record: []byte(`{"apiVersion":"v2","appVersion":"29","created":"2026-01-01T18:04:05.000000006Z","deprecated":true,` +
			`"description":"Compute ` + "\uFFFD" + `","digest":"abc","name":"nova","urls":["nova-1.2.3%2Ba.tgz"],"version":"1.2.3+a"}`),
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
		"year 10000":      {func(md *chart.Metadata) {}, "u", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "RFC 3339"},
		"year -1":         {func(md *chart.Metadata) {}, "u", time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "RFC 3339"},
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
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{struct{}{}}}}
		}, "u", now, "import-values"},
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

// Keys that become the same when they are made UTF-8 must not be there twice.
func TestInvalidKeysStayUnique(t *testing.T) {
	md := &chart.Metadata{Name: "nova", Version: "1.0.0", Annotations: map[string]string{"a\xff": "1", "a\xfe": "2", "b": "3"}}
	e := entry(t, md)
	b := NewBuilder(YAML)
	b.Set("nova", []*Entry{e})
	got := readYAML(t, b.Encode().YAML.Data.Bytes()).Entries["nova"][0].Annotations
	if diff := cmp.Diff(map[string]string{"a\uFFFD": "2", "b": "3"}, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
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
