package chart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv2 "go.yaml.in/yaml/v2"
)

const usualChart = `# a comment
apiVersion: v2
name: access
version: 1.1.2
appVersion: "16.9"
description: Dynamic resume rollback record storage.
home: https://docs.example.org/access
icon: https://docs.example.org/access.svg
deprecated: true
keywords:
  - engine
  - image
maintainers:
  - name: random
    email: neighbor@example.org
sources:
- https://code.example.org/access
annotations:
  example.org/a: 'b: c'
dependencies:
- name: toolkit
  repository: file://../toolkit
  version: ">= 0.1.0"
`

// plainly reads data without the parser and with it; ok is whether the way without
// had an answer.
func plainly(t *testing.T, data []byte) (ok bool) {
	t.Helper()
	got, ok := plainDocument(data)
	if !ok {
		return false
	}
	var want any
	if err := yamlv2.Unmarshal(data, &want); err != nil {
		t.Fatalf("plain where the parser fails: %v\n%q", err, data)
	}
	if diff := cmp.Diff(want, any(got)); diff != "" {
		t.Fatalf("plain differs (-parser +plain)\n%s\n%q", diff, data)
	}
	return true
}

func plainCases() map[string]struct {
	in   string
	want bool
} {
	return map[string]struct {
		in   string
		want bool
	}{
		"usual":               {usualChart, true},
		"markers":             {"---\n# c\na: b\n\n...\n# end\n", true},
		"no newline":          {"a: b", true},
		"blanks":              {"a:   b  \n  # c\n\nb:  \n- c \n", true},
		"three parts":         {"a: 1.2.3-rc.1+b\n", true},
		"quotes in text":      {"a: it's \"b\"\n", true},
		"colon in text":       {"a: b:c\n", true},
		"list then key":       {"a:\n  - b\nc: d\n", true},
		"two entries":         {"a:\n- b: c\n  d: e\n\n- b: c\n", true},
		"wide dash":           {"a:\n-   b: c\n    d: e\n", true},
		"text after dash":     {"a:\n- b:c\n", true},
		"empty quoted":        {"a: \"\"\nb: ''\n", true},
		"hash in text":        {"a: b#c\n", true},
		"empty":               {"", false},
		"number":              {"a: 1.20\n", false},
		"time":                {"a: 2020-01-01\n", false},
		"two dots and colons": {"a: 1:2.3.4\n", false},
		"word":                {"a: Yes\n", false},
		"word as key":         {"on: a\n", false},
		"null":                {"a:\nb: c\n", false},
		"null in entry":       {"a:\n- b:\n", false},
		"twice":               {"a: b\na: c\n", false},
		"comment behind":      {"a: b # c\n", false},
		"two lines":           {"a: b\n  c\n", false},
		"two lines in list":   {"a:\n- b\n  c\n", false},
		"two lines in entry":  {"a:\n- b: c\n   d\n", false},
		"list under a list":   {"a:\n  - b\n- c\n", false},
		"list under a value":  {"a: b\n- c\n", false},
		"key under an entry":  {"a:\n  - b: c\n   d: e\n", false},
		"deep":                {"a:\n  b:\n    c: d\n", false},
		"a bare dash":         {"a:\n-\n", false},
		"nested list":         {"a:\n- - b\n", false},
		"folded":              {"a: >\n  b\n", false},
		"flow":                {"a: [b]\n", false},
		"anchor":              {"a: &b c\n", false},
		"tag":                 {"a: !!str c\n", false},
		"escape":              {"a: \"\\n\"\n", false},
		"quote in quotes":     {"a: 'b''c'\n", false},
		"open quote":          {"a: \"b\n", false},
		"mapping in a line":   {"a: b: c\n", false},
		"key at the end":      {"a: b:\n", false},
		"second document":     {"a: b\n---\nc: d\n", false},
		"more behind the end": {"a: b\n...\nc: d\n", false},
		"directive":           {"%YAML 1.1\n---\na: b\n", false},
		"tab":                 {"a:\tb\n", false},
		"not ASCII":           {"a: \u00e9\n", false},
		"carriage return":     {"a: b\r\n", false},
		"indented":            {" a: b\n", false},
		"a list":              {"- a\n", false},
	}
}

func TestPlainDocument(t *testing.T) {
	for name, tc := range plainCases() {
		t.Run(name, func(t *testing.T) {
			if got := plainly(t, []byte(tc.in)); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func FuzzPlainDocument(f *testing.F) {
	for _, tc := range plainCases() {
		f.Add([]byte(tc.in))
	}
	f.Fuzz(func(t *testing.T, data []byte) { plainly(t, data) })
}

func BenchmarkDocument(b *testing.B) {
	data := []byte(usualChart)
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := plainDocument(data); !ok {
				b.Fatal("not plain")
			}
		}
	})
	b.Run("parser", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var doc any
			if err := yamlv2.Unmarshal(data, &doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("metadata", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := ParseMetadata(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
