package chart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// quickly reads data the quick way and the way through the library; ok is
// whether the quick way had an answer.
func quickly(t *testing.T, data []byte) (ok bool) {
	t.Helper()
	var doc any
	if yamlv2.Unmarshal(data, &doc) != nil {
		return false
	}
	got, ok := quickMetadata(doc)
	if !ok {
		return false
	}
	want := new(Metadata)
	if err := yaml.Unmarshal(data, want); err != nil {
		t.Fatalf("quick where the library fails: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("quick differs (-library +quick)\n%s", diff)
	}
	return true
}

func TestQuickMetadata(t *testing.T) {
	const rest = "\nname: t\nversion: 1.20\n"
	cases := map[string]struct {
		in   string
		want bool
	}{
		"usual":         {"apiVersion: v2\ndescription: d\nhome: h\nicon: i\ncondition: c\ntags: t\nkubeVersion: \">1\"\ntype: library\nappVersion: 1e3\ndeprecated: yes" + rest, true},
		"lists":         {"keywords: [a, 1, 1.10, yes]\nsources: []\nmaintainers: [{name: 1.10, email: e, url: u}]" + rest, true},
		"dependencies":  {"dependencies: [{name: a, version: 1.10, repository: r, condition: c, alias: b, tags: [on], enabled: true}]" + rest, true},
		"annotations":   {"annotations: {a: b, c: 1.10, d: true}" + rest, true},
		"commit":        {"appVersion: 1234e56" + rest, true},
		"octal":         {"appVersion: 0755" + rest, true},
		"date":          {"appVersion: 2020-01-01" + rest, true},
		"null":          {"appVersion: null" + rest, false},
		"infinite":      {"appVersion: .inf" + rest, false},
		"binary":        {"appVersion: !!binary /w==" + rest, false},
		"huge":          {"appVersion: 18446744073709551615" + rest, false},
		"list as text":  {"appVersion: [a]" + rest, false},
		"unknown":       {"foo: bar" + rest, false},
		"other case":    {"Type: library" + rest, false},
		"number as key": {"annotations: {1: a}" + rest, false},
		"binary as key": {"annotations: {!!binary /w==: a}" + rest, false},
		"null in list":  {"keywords: [null]" + rest, false},
		"text as list":  {"keywords: a" + rest, false},
		"null entry":    {"maintainers: [null]" + rest, false},
		"import values": {"dependencies: [{name: a, import-values: [b]}]" + rest, false},
		"quoted bool":   {"deprecated: \"yes\"" + rest, false},
		"a list":        {"- a", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := quickly(t, []byte(tc.in)); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
