package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// What was encoded comes back, and encodes to the same bytes again.
func TestDecodeOwn(t *testing.T) {
	for _, f := range []Format{YAML, JSON} {
		charts := corpus(t, 300, 7)
		charts["한국어"] = []*Entry{entry(t, metadata("한국어", "1.0.0+a")), entry(t, metadata("한국어", "1.0.0"))}
		e := build(f, charts).Encode()
		got, err := Decode(e.YAML.Data.Bytes())
		if err != nil || len(got.Skipped) > 0 {
			t.Fatalf("%v: %v, skipped %v", f, err, got.Skipped)
		}
		var want []*Entry
		for _, name := range slices.Sorted(maps.Keys(charts)) {
			want = append(want, slices.SortedFunc(slices.Values(charts[name]), new(Chart).compare)...)
		}
		if diff := cmp.Diff(want, got.Entries); diff != "" {
			t.Errorf("%v: want (-), got (+):\n%s", f, diff)
		}
		if !got.Generated.Equal(e.Generated) {
			t.Errorf("%v: generated: got %v, want %v", f, got.Generated, e.Generated)
		}
		again := make(map[string][]*Entry)
		for _, e := range got.Entries {
			again[e.Name] = append(again[e.Name], e)
		}
		same(t, string(f)+" again", build(f, again).Encode(), e)
	}
}

const head = "apiVersion: v1\nentries:\n"

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		data    string
		want    string // NAME VERSION URL DIGEST CREATED of each entry
		skipped string // a part of each reason
	}{
		"empty repository":  {"apiVersion: v1\nentries: {}\n", "", ""},
		"null entries":      {"apiVersion: v1\nentries:\n", "", ""},
		"null entries JSON": {`{"apiVersion":"v1","entries":null}`, "", ""},
		"no apiVersion":     {"entries:\n  a:\n  - {name: a, version: 1.0.0, urls: [u]}\n", "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"BOM and JSON":      {"\uFEFF" + `{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":["u"]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"BOM and YAML":      {"\uFEFFapiVersion: v1\nentries:\n  a:\n  - {name: a, version: 1.0.0, urls: [u]}\n", "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"documents":         {"---\n" + head + "  a:\n  - {name: a, version: 1.0.0, urls: [u]}\n...\n---\nx: y\n", "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"flow YAML":         {`{apiVersion: v1, entries: {a: [{name: a, version: 1.0.0, urls: [u]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"times and digests": {
			head + "  a:\n  - name: a\n    version: 1.0.0\n    urls: [u, v]\n    digest: sha256:ABC\n    created: 2020-01-02T03:04:05.123456789+09:00\n" +
				"  - name: a\n    version: 0.9.0\n    urls: [w]\n    digest: \"00012\"\n    created: \"2020-01-02T03:04:05Z\"\n",
			"a 1.0.0 u sha256:ABC 2020-01-01T18:04:05.123456789Z\na 0.9.0 w 00012 2020-01-02T03:04:05Z", "",
		},
		"unknown fields": {
			"serverInfo: {contextPath: /x}\nannotations: {a: b}\n" + head + "  a:\n  - {name: a, version: 1.0.0, urls: [u], removed: true, engine: gotpl, extra: {x: [1]}}\n",
			"a 1.0.0 u  0001-01-01T00:00:00Z", "",
		},
		"numbers as text": {
			head + "  a:\n  - {name: a, version: 1.0.0, appVersion: 1.10, urls: [u]}\n  - {name: a, version: 1.0.1, urls: [u], digest: 12}\n", "",
			"a[0]: appVersion: has a number where Helm wants a string\na[1]: digest: has a number where",
		},
		"bad entries": {
			head + "  a:\n  - null\n  - 3\n  - {version: 1.0.0, urls: [u]}\n  - {name: a, urls: [u]}\n  - {name: a, version: x, urls: [u]}\n" +
				"  - {name: a, version: 1.0.0}\n  - {name: a, version: 1.0.0, urls: []}\n  - {name: b, version: 1.0.0, urls: [u]}\n" +
				"  - {name: a, version: 1.0.0, urls: [u], created: yesterday}\n  - {name: a, version: 1.0.0, urls: u}\n" +
				"  - {name: a, version: 1.0.0, urls: [u], maintainers: [null]}\n  - {name: a, version: 1.0.0, urls: [good]}\n" +
				"  - {name: a, version: 1.0.0, urls: [again]}\n  - {name: a, version: 1.0.0, urls: [u], type: strange}\n",
			"a 1.0.0 good  0001-01-01T00:00:00Z",
			"a[0]: not a mapping\na[1]: not a mapping\na[2]: Chart.yaml: name\na[3]: Chart.yaml: version\na[4]: Chart.yaml: version\n" +
				"a[5]: no URL to load\na[6]: no URL to load\na[7]: name \"b\": stands in the list\na[8]: created \"yesterday\"\n" +
				"a[9]: urls: has a string where\na[10]: Chart.yaml: maintainers\na[12]: version \"1.0.0\" is there twice\na[13]: Chart.yaml: type",
		},
		"bad JSON entries": {
			`{"apiVersion":"v1","entries":{"a":[null,3,{"name":"a","version":"1.0.0","appVersion":1.5,"urls":["u"]},` +
				`{"name":"a","version":"1.0.0","urls":["u"],"created":"2020"},{"name":"a","version":"1.0.0","urls":["good"]}],"b":{},"../c":[{}]}}`,
			"a 1.0.0 good  0001-01-01T00:00:00Z",
			"../c\"[0]: Chart.yaml: name\na[0]: not a mapping\na[1]: not a mapping\na[2]: appVersion: has a number where\na[3]: created \"2020\"\n" +
				"b: not a list",
		},
		"large entries": {
			`{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":["u"],"x":"` + strings.Repeat("x", MaxEntry) + `"},{"name":"a","version":"1.0.0","urls":["u"]}]}}`,
			"a 1.0.0 u  0001-01-01T00:00:00Z", "a[0]: an entry of 1048",
		},
		"a list twice":            {`{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":["u"]},{}],"a":[{"name":"a","version":"1.0.0","urls":["v"]}]}}`, "a 1.0.0 v  0001-01-01T00:00:00Z", ""},
		"entries twice":           {`{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":["u"]}]},"entries":{"b":[{"name":"b","version":"1.0.0","urls":["v"]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z\nb 1.0.0 v  0001-01-01T00:00:00Z", ""},
		"entries no more":         {`{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0","urls":["u"]}]},"entries":null}`, "", ""},
		"a chart that is no list": {head + "  a: b\n  c:\n  - {name: c, version: 1.0.0, urls: [u]}\n", "c 1.0.0 u  0001-01-01T00:00:00Z", "a: not a list"},
		"unsafe names": {
			head + "  ../a:\n  - {name: ../a, version: 1.0.0, urls: [u]}\n  .b:\n  - {name: .b, version: 1.0.0, urls: [u]}\n", "",
			"../a\"[0]: \n.b\"[0]: ",
		},
		"other capitals":         {`{"APIVERSION":"v1","Entries":{"a":[{"Name":"a","VERSION":"1.0.0","uRls":["u"]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"other capitals in YAML": {"ApiVersion: v1\nENTRIES:\n  a:\n  - {Name: a, VERSION: 1.0.0, uRls: [u], digest: .inf}\n", "a 1.0.0 u +Inf 0001-01-01T00:00:00Z", ""},
		"duplicate keys":         {`{"apiVersion":"v1","entries":{"a":[{"name":"b","name":"a","version":"1.0.0","urls":["u"]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"null fields":            {`{"apiVersion":"v1","entries":{"a":[{"name":"a","home":null,"version":"1.0.0","annotations":null,"urls":["u"]}]}}`, "a 1.0.0 u  0001-01-01T00:00:00Z", ""},
		"twin dependencies": {
			head + "  a:\n  - {name: a, version: 1.0.0, urls: [u], dependencies: [{name: x, repository: r}, {name: x, repository: r}]}\n" +
				"  - {name: a, version: 1.1.0, urls: [u], dependencies: [{name: x, repository: r}, {name: x, repository: r, alias: a b}]}\n",
			"a 1.0.0 u  0001-01-01T00:00:00Z", "a[1]: Chart.yaml: dependencies[1].alias",
		},
		"order": {
			head + "  b:\n  - {name: b, version: 1.0.0, urls: [u]}\n  - {name: b, version: 2.0.0, urls: [u]}\n  a:\n  - {name: a, version: 1.0.0, urls: [u]}\n",
			"a 1.0.0 u  0001-01-01T00:00:00Z\nb 1.0.0 u  0001-01-01T00:00:00Z\nb 2.0.0 u  0001-01-01T00:00:00Z", "",
		},
		"aliases": {
			"x: &m [{name: The Authors}]\n" + head + "  a:\n  - {name: a, version: 1.0.0, urls: &u [u], maintainers: *m}\n  - {name: a, version: 1.0.1, urls: *u, maintainers: *m}\n",
			"a 1.0.0 u  0001-01-01T00:00:00Z\na 1.0.1 u  0001-01-01T00:00:00Z", "",
		},
		"numbers that JSON lacks": {
			head + "  a:\n  - {name: a, version: 1.0.0, urls: [u], .nan: .inf, x: [.nan]}\n  - {name: a, version: 1.0.1, urls: [u], .inf: {~: z}}\n",
			"a 1.0.0 u  0001-01-01T00:00:00Z\na 1.0.1 u  0001-01-01T00:00:00Z", "",
		},
		"strange header":   {"apiVersion: .nan\ngenerated: {a: b}\nentries: {}\n", "", ""},
		"a number as name": {head + "  1:\n  - {name: \"1\", version: 1.0.0, urls: [u]}\n", "1 1.0.0 u  0001-01-01T00:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Decode([]byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range f.Entries {
				got = append(got, strings.Join([]string{e.Name, e.Version, e.URL, e.Digest, e.Created.Format(time.RFC3339Nano)}, " "))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
			reasons := strings.Split(c.skipped, "\n")
			if c.skipped == "" {
				reasons = nil
			}
			if len(reasons) != len(f.Skipped) {
				t.Fatalf("skipped %d, want %d:\n%v", len(f.Skipped), len(reasons), errors.Join(f.Skipped...))
			}
			for i, err := range f.Skipped {
				if !strings.Contains(err.Error(), reasons[i]) || strings.Contains(err.Error(), "\n") {
					t.Errorf("skipped: got %q, want %q in it", err, reasons[i])
				}
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 10), ","))
	}
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"empty":            {"", ErrIndex},
		"spaces":           {" \n ", ErrIndex},
		"HTML":             {"<!DOCTYPE html>\n<html><head><title>404: Not Found</title></head></html>\n", ErrIndex},
		"text":             {"not found", ErrIndex},
		"list":             {"[1, 2]", ErrIndex},
		"other YAML":       {"name: nova\nversion: 1.0.0\n", ErrIndex},
		"other JSON":       {`{"name":"nova"}`, ErrIndex},
		"empty JSON":       {`{}`, ErrIndex},
		"NUL behind JSON":  {`{"apiVersion":"v1","entries":{}}` + "\n\x00", ErrIndex},
		"cut JSON":         {`{"apiVersion":"v1","entries":{"a":[{"name":"a",`, ErrIndex},
		"entries a list":   {"apiVersion: v1\nentries: []\n", ErrIndex},
		"entries a number": {`{"apiVersion":"v1","entries":3}`, ErrIndex},
		"tabs":             {"apiVersion: v1\nentries:\n\ta: []\n", ErrIndex},
		"control":          {"apiVersion: v1\nentries: \"\x00\"\n", ErrIndex},
		"not UTF-8":        {"apiVersion: v1\nentries: {a: \"\xff\"}\n", ErrIndex},
		"gzip":             {"\x1f\x8b\x08\x00\x00", ErrIndex},
		"alias bomb":       {bomb + "apiVersion: v1\nentries: {a: *j}\n", ErrIndex},
		"alias of text": {
			"x: &x " + strings.Repeat("x", 1<<20) + "\napiVersion: v1\nentries:\n  a:\n  - keywords: [" + strings.Repeat("*x,", 10_000) + "*x]\n", chart.ErrLimit,
		},
		"aliases of entries": {
			"apiVersion: v1\nentries:\n  a: &a\n  - {name: a, version: 1.0.0, description: " + strings.Repeat("x", 1<<20) + "}\n" + repeat("  a%d: *a\n", 50_000), chart.ErrLimit,
		},
		"deep YAML":       {"apiVersion: v1\nentries: {a: [" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "]}", chart.ErrLimit},
		"deeper YAML":     {"apiVersion: v1\nentries: " + strings.Repeat("[", 1_000_000), ErrIndex},
		"deep JSON":       {`{"apiVersion":"v1","x":` + strings.Repeat("[", 4_000_000), ErrIndex}, // no stack holds that
		"many values":     {"apiVersion: v1\nentries: [" + strings.Repeat(",", maxNodes+1) + "]", chart.ErrLimit},
		"self-reference":  {"apiVersion: v1\nentries: &a {a: *a}\n", ErrIndex},
		"many versions":   {`{"apiVersion":"v1","entries":{"a":[` + strings.Repeat("1,", MaxVersions) + `1]}}`, chart.ErrLimit},
		"many charts":     {`{"apiVersion":"v1","entries":{` + repeat(`"%d":[],`, MaxVersions) + `"a":[]}}`, chart.ErrLimit},
		"many YAML lists": {"apiVersion: v1\nentries:\n  a: [" + strings.Repeat("1,", MaxVersions) + "1]\n", chart.ErrLimit},
		"many escapes": { // YAML needs six bytes for one that JSON has as it is
			`{"apiVersion":"v1","entries":{"a":[` + repeat(`{"name":"a","version":"1.0.%d","urls":["u"],"annotations":{"a":"`+strings.Repeat("\x7f", 1<<17)+`"}},`, 160) + `{}]}}`, chart.ErrLimit,
		},
		"too large, YAML": {"apiVersion: v1\n#" + strings.Repeat(" ", MaxYAML), chart.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Decode([]byte(c.data))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err != nil && (len(err.Error()) > 500 || strings.Contains(err.Error(), "\n")) {
				t.Errorf("not one short line: %.600q", err)
			}
			if took := time.Since(start); took > time.Minute { // with the race detector, on a busy machine
				t.Errorf("took %v", took)
			}
		})
	}
}

func repeat(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// However bad an index is, the report about it is short.
func TestSkippedIsBounded(t *testing.T) {
	for name, data := range map[string]string{
		"one chart":   `{"apiVersion":"v1","entries":{"a":[` + strings.Repeat("{},", 400_000) + `{}]}}`,
		"many charts": `{"apiVersion":"v1","entries":{` + repeat(`"%d":3,`, 100_000) + `"a":[]}}`,
		"long name":   `{"apiVersion":"v1","entries":{"` + strings.Repeat("차\\u0000", 1<<20) + `":3}}`,
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Decode([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Skipped) == 0 || len(f.Skipped) > MaxSkipped+1 {
				t.Errorf("skipped %d", len(f.Skipped))
			}
			for _, err := range f.Skipped {
				if len(err.Error()) > 500 {
					t.Fatalf("%d bytes: %.200q", len(err.Error()), err)
				}
			}
		})
	}
}

// A document of the bounds' making takes no more memory than they promise.
func TestDecodeIsBounded(t *testing.T) {
	const n = 16 << 20
	for name, data := range map[string]string{
		"dependencies": `{"apiVersion":"v1","entries":{"a":[{"dependencies":[` + strings.Repeat("{},", n/3) + `{}]}]}}`,
		"maintainers":  `{"apiVersion":"v1","entries":{"a":[{"maintainers":[` + strings.Repeat("{},", n/3) + `{}]}]}}`,
		"charts":       `{"apiVersion":"v1","entries":{` + repeat(`"%d":[],`, n/10) + `"a":[]}}`,
		"versions":     `{"apiVersion":"v1","entries":{"a":[` + strings.Repeat("{},", n/3) + `{}]}}`,
		"other fields": `{"apiVersion":"v1","x":[` + strings.Repeat("{},", n/3) + `{}],"entries":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			doc := []byte(data)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode(doc)
			runtime.ReadMemStats(&after)
			// All that was ever allocated: less is in use at a time.
			if got, limit := int(after.TotalAlloc-before.TotalAlloc), 8*n+MaxVersions*200; got > limit {
				t.Errorf("%d bytes took %d, want %d at most; %v", len(doc), got, limit, err)
			}
		})
	}
}

// What is kept of an index, entries and errors, does not hold on to its text.
func TestDecodeCopies(t *testing.T) {
	charts := corpus(t, 2000, 10)
	charts["bad"] = []*Entry{{Name: "bad", Version: "x", Record: []byte(`{"name":"bad","version":"x","urls":["u"]}`)}}
	data := build(JSON, charts).Encode().JSON.Data.Bytes()
	heap := func() int {
		for range 3 { // pools outlive the first ones
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	f, err := Decode(data)
	if err != nil || len(f.Skipped) != 1 {
		t.Fatalf("%v, skipped %v", err, f.Skipped)
	}
	all := heap() - before
	entries := f.Entries
	f.Entries = nil
	runtime.KeepAlive(entries)
	entries = nil
	rest := heap() - before
	if all > 2*len(data) || rest > len(data)/10 {
		t.Errorf("an index of %d bytes: holds %d, of which %d for one error", len(data), all, rest)
	}
	runtime.KeepAlive(f)
	runtime.KeepAlive(data)
}

// asHelm are entries that YAML readers other than Helm's might take for others.
func asHelm() []string {
	return []string{
		"{name: a, version: 1.0.0, appVersion: '1.10', keywords: ['1', \"yes\", ~, x], deprecated: yes, urls: [u]}",
		"{name: a, version: 1.0.0, created: 2020-01-01T00:00:00Z, annotations: {1: '2', true: \"no\", 1.5: x, 16777217.5: x}, urls: [u]}",
		"{name: a, version: 1.0.0, annotations: {.nan: a, .inf: b, -.inf: c}, urls: [u]}",
		"{name: a, version: 1.0.0, dependencies: [{name: b, repository: x, enabled: yes, import-values: [1, x, {a: 1.5, 2: 0o7}]}], urls: [u]}",
		"{name: a, version: 1.0.0, description: \"x\\ny\", home: 'it''s', urls: ['u']}", "{<<: {name: a}, version: 1.0.0, urls: [u]}",
		"{name: a, version: 1.0.0, maintainers: [{name: x, email: !!binary aGk=}], urls: [u], sources: &s [x], keywords: *s}",
	}
}

func TestDecodeReadsYAMLAsHelm(t *testing.T) {
	for _, s := range asHelm() {
		if n := compareToHelm(t, []byte(head+"  a:\n  - "+s+"\n")); n != 1 {
			t.Errorf("%s: got %d entries, want 1", s, n)
		}
	}
}

// jsonEntries are entries that encoding/json, and so Helm, takes in ways of its own.
func jsonEntries() []string {
	list := []string{
		`{"name":"b","Name":"a"}`, `{"name":"a","home":null,"urls":["u"],"keywords":null}`, `{"created":"2020-01-01T00:00:00+09:00"}`,
		`{"created":"2020-01-01T24:00:00Z"}`, `{"created":3}`, `{"deprecated":"true"}`, `{"annotations":{"a":"b","a":"c","\u0061":"d"}}`,
		`{"annotations":{"a":"b"},"annotations":{"c":"d"}}`, `{"keywords":["a","b"],"keywords":["c"]}`,
		`{"dependencies":[{"tags":["a","b"],"name":"x","tags":["c"],"name":"y","import-values":[{"a":1}],"import-values":[{"b":1}]}]}`,
		`{"maintainers":[{"name":"a","email":"b","name":"c"}],"maintainers":[{"url":"d"}]}`,
		`{"maintainers":[{"name":"a","NAME":"b"},{}]}`, `{"dependencies":[{"name":"x","import-values":[1,{"a":null}],"tags":["x"]}]}`,
		`{"description":"\ud800\udc00 \ud800 \u0000 \/"}`, "{\"description\":\"\xff\"}", `{"ſources":["x"],"Kube` + "\u212A" + `":1}`, `{"\u006eame":"a"}`,
		`{"x":-0.5e+10,"y":[{}]}`, ` { "home" : "a" , "x" : [ 1 , { } ] } `,
	}
	for i, s := range list { // what comes first in it may come again
		list[i] = `{"apiVersion":"v1","name":"a","version":"1.0.0","urls":["u"],` + strings.TrimLeft(s, " {")
	}
	return list
}

func TestDecodeReadsJSONAsHelm(t *testing.T) {
	decoded := 0
	for _, s := range jsonEntries() {
		decoded += compareToHelm(t, []byte(`{"apiVersion":"v1","entries":{"a":[`+s+`]}}`))
	}
	if decoded < 14 {
		t.Errorf("%d entries were compared, want 14", decoded)
	}
}

// Decode makes of a document what encoding/json and sigs.k8s.io/yaml, and so Helm,
// make of it.
func FuzzDecode(f *testing.F) {
	b := NewBuilder(YAML)
	b.Set("nova", []*Entry{entry(f, metadata("nova", "1.0.0+a")), entry(f, metadata("nova", "1.0.0"))})
	f.Add(b.Encode().YAML.Data.Bytes())
	f.Add(b.Encode().JSON.Data.Bytes())
	for _, s := range asHelm() {
		f.Add([]byte(head + "  a:\n  - " + s + "\n"))
	}
	for _, s := range jsonEntries() {
		f.Add([]byte(`{"apiVersion":"v1","entries":{"a":[` + s + `]}}`))
	}
	for _, s := range []string{`{"entries":{"a":[]},"Entries":null}`, `{"entries":{"a":[1,]}}`, `{"entries":{"a":[{}],"a":null,"a":{}}} x`, `{"entries":{"a":[01]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { compareToHelm(t, data) })
}

// compareToHelm compares what Decode and Helm's libraries make of data, and returns
// the number of entries.
func compareToHelm(t *testing.T, data []byte) int {
	t.Helper()
	got, err := Decode(data)
	if err != nil {
		return 0
	}
	for _, e := range got.Entries {
		if _, err := e.Metadata(); err != nil || e.Name == "" || e.URL == "" {
			t.Errorf("%q: %v", e.Record, err)
		}
	}
	want, err := readByHelm(data)
	if err != nil {
		return len(got.Entries) // one bad entry fails all
	}
	if diff := diffToHelm(t, got, want); diff != "" && decided(data) {
		t.Error(diff)
	}
	return len(got.Entries)
}

// helmEntries are the versions by chart name.
type helmEntries map[string][]*record

func readByHelm(data []byte) (helmEntries, error) {
	var file struct {
		Entries helmEntries `json:"entries"`
	}
	read := func(data []byte, v any) error { return yaml.Unmarshal(data, v) }
	if json.Valid(data) {
		read = json.Unmarshal
	}
	err := read(data, &file)
	return file.Entries, err
}

// decided reports whether sigs.k8s.io/yaml always makes the same of data. Of two keys
// that are one in JSON, such as 1 and 1.0, it takes either, as it happens.
func decided(data []byte) bool {
	first, _ := readByHelm(data)
	for range 500 { // one of them may be the likelier by far
		if again, _ := readByHelm(data); !cmp.Equal(first, again) {
			return false
		}
	}
	return true
}

func diffToHelm(t *testing.T, got *File, want helmEntries) string {
	t.Helper()
	for _, e := range got.Entries {
		i := slices.IndexFunc(want[e.Name], func(w *record) bool {
			return w != nil && w.Version == e.Version && w.Name == e.Name && len(w.URLs) > 0 && toUTF8(w.URLs[0]) == e.URL
		})
		if i < 0 {
			return fmt.Sprintf("%s %s: Helm does not have it", e.Name, e.Version)
		}
		w := want[e.Name][i]
		md, _ := e.Metadata()
		if w.APIVersion == "" {
			w.APIVersion = "v1"
		}
		_ = w.Validate() // for what it changes
		if diff := cmp.Diff(asSent(t, &w.Metadata), md, cmpopts.EquateEmpty()); diff != "" {
			return "Helm (-), ours (+):\n" + diff
		}
	}
	return ""
}
