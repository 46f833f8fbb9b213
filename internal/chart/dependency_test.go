package chart

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/Masterminds/semver/v3"
)

// TestConstraint: what helm dependency update of Helm v4.2.4 makes of them.
func TestConstraint(t *testing.T) {
	cases := map[string]struct {
		version    string
		meets, not []string
	}{
		"any":                     {"*", []string{"1.2.3", "0.0.0"}, []string{"1.0.0-rc1"}},
		"openstack-helm":          {">= 0.1.0", []string{"0.1.0", "2026.1.5+abc", "v1"}, []string{"0.0.9", "1.0.0-rc1"}},
		"naming a prerelease":     {">= 1.0.0-0", []string{"1.0.0-rc1", "1.0.0"}, []string{"0.9.0"}},
		"exact":                   {"0.1.0", []string{"0.1.0", "v0.1.0", "0.1.0+x"}, []string{"0.1.1", "0.1.0-a"}},
		"exact prerelease":        {"1.0.0-rc1", []string{"1.0.0-rc1"}, []string{"1.0.0", "1.0.0-rc2"}},
		"caret":                   {"^1.2", []string{"1.9.0"}, []string{"2.0.0", "1.1.0"}},
		"tilde":                   {"~1.2.3", []string{"1.2.9"}, []string{"1.3.0"}},
		"wildcard":                {"1.x", []string{"1.5.0"}, []string{"2.0.0"}},
		"range":                   {"1.0.0 - 2.0.0", []string{"2.0.0"}, []string{"2.0.1"}},
		"comma":                   {">=1.0.0, <2", []string{"1.5.0"}, []string{"2.0.0"}},
		"or":                      {"<1 || >=3", []string{"0.5.0", "3.0.0"}, []string{"2.0.0"}},
		"build metadata is blind": {"1.0.0+a", []string{"1.0.0+b"}, []string{"1.0.1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := (&Dependency{Name: "a", Version: tc.version}).Constraint()
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range tc.meets {
				if !c.Check(semver.MustParse(v)) {
					t.Errorf("%s does not meet %q", v, tc.version)
				}
			}
			for _, v := range tc.not {
				if c.Check(semver.MustParse(v)) {
					t.Errorf("%s meets %q", v, tc.version)
				}
			}
		})
	}
}

func TestConstraintErrors(t *testing.T) {
	const remedy = ` (write one such as ">=1.2.0 <2.0.0", or "*" for any version)`
	cases := map[string]struct{ version, want string }{
		"empty":            {"", `dependencies[a].version: missing` + remedy},
		"word":             {"latest", `dependencies[a].version "latest": not a version constraint` + remedy},
		"bad operator":     {">> 1", `dependencies[a].version ">> 1": not a version constraint` + remedy},
		"long":             {strings.Repeat("1", 513), `dependencies[a].version "` + strings.Repeat("1", 80) + `"...: 513 bytes long, at most 512 are read` + remedy},
		"33 alternatives":  {strings.Repeat("1||", 32) + "1", `dependencies[a].version "` + strings.Repeat("1||", 26) + `1|"...: not a version constraint` + remedy},
		"huge, cut at 512": {strings.Repeat(">", 1<<20), `dependencies[a].version "` + strings.Repeat(">", 80) + `"...: 1048576 bytes long, at most 512 are read` + remedy},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := (&Dependency{Name: "a", Version: tc.version}).Constraint()
			if err == nil {
				t.Fatal("got no error")
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !errors.Is(err, ErrDependency) {
				t.Errorf("%v is not %v", err, ErrDependency)
			}
		})
	}
}

func TestParseRequirements(t *testing.T) {
	cases := map[string]struct {
		in   string
		want []*Dependency
	}{
		"openstack-helm": {
			"# Copyright\n---\ndependencies:\n  - name: helm-toolkit\n    repository: http://localhost:8879/charts\n    version: 0.1.0\n...\n",
			[]*Dependency{{Name: "helm-toolkit", Repository: "http://localhost:8879/charts", Version: "0.1.0"}},
		},
		"empty":            {"", nil},
		"none declared":    {"dependencies:\n", nil},
		"empty list":       {"dependencies: []\n", []*Dependency{}},
		"unknown fields":   {"foo: bar\n", nil},
		"null in a field":  {"description: null\ndeprecated: null\n", nil}, // changes nothing
		"byte order mark":  {"\uFEFFdependencies: [{name: a}]\n", []*Dependency{{Name: "a"}}},
		"version as float": {"dependencies: [{name: a, version: 0.10}]\n", []*Dependency{{Name: "a", Version: "0.1"}}},
		"texts are sanitised": {
			"dependencies: [{name: \"a\\x01\", version: \"1\\t\", repository: \"r\\n\", condition: \"\\u200bc\", tags: [\"t\\x02\"]}]\n",
			[]*Dependency{{Name: "a", Version: "1 ", Repository: "r ", Condition: "c", Tags: []string{"t"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRequirements([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseRequirementsRefuses(t *testing.T) {
	const override = `: Helm 3 and 4 would take this in place of Chart.yaml's (keep only dependencies: in this file)`
	cases := map[string]struct{ in, want string }{
		"a list":            {"- a\n", `requirements.yaml: must be a mapping, not a list (write it as key: value lines)`},
		"junk":              {"a: [\n", `requirements.yaml: not valid YAML: line 1: did not find expected node content`},
		"not a list":        {"dependencies: x\n", `requirements.yaml: dependencies: must be a list, not a string (start each entry with a dash)`},
		"null entry":        {"dependencies: [null]\n", `requirements.yaml: dependencies[0]: empty or null (fill it in or remove the line)`},
		"bad alias":         {"dependencies: [{name: a, alias: a.b}]\n", `requirements.yaml: dependencies[0].alias "a.b": not an alias (use letters, digits, - and _)`},
		"bad foreign field": {"keywords: x\n", `requirements.yaml: keywords: must be a list, not a string (start each entry with a dash)`},
		"ours: name":        {"name: other\n", `requirements.yaml: name "other"` + override},
		"ours: version":     {"version: 9.9.9\n", `requirements.yaml: version "9.9.9"` + override},
		"ours: apiVersion":  {"apiVersion: v2\n", `requirements.yaml: apiVersion "v2"` + override},
		"ours: type":        {"type: library\n", `requirements.yaml: type "library"` + override},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRequirements([]byte(tc.in))
			if err == nil {
				t.Fatalf("got %v, want an error", got)
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !errors.Is(err, ErrDependency) {
				t.Errorf("%v is not %v", err, ErrDependency)
			}
		})
	}
}

func FuzzRequirements(f *testing.F) {
	f.Add([]byte("dependencies: [{name: a, version: 0.10, alias: b, tags: [x]}]\n"))
	f.Add([]byte("dependencies: [{name: a}, {name: a}]\n"))
	f.Add([]byte("a: &a [x]\ndependencies: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		deps, err := ParseRequirements(data)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, d := range deps {
			if _, err := d.Constraint(); err != nil {
				checkFuzzError(t, err)
			}
		}
		if err := ValidateDependencies(RequirementsFile, deps); err != nil {
			t.Fatalf("the second time: %v", err)
		}
	})
}

// What Helm 3 and 4 take from requirements.yaml in place of Chart.yaml's, seen with
// `helm show chart` of 3.22 and 4.2; Helm 2.17 shows Chart.yaml's.
func TestRequirementsSetMetadata(t *testing.T) {
	for in, field := range map[string]string{
		"name: evil\ndependencies: []\n": "name",
		"Name: evil\n":                   "name", // encoding/json minds no case
		"version: 6.6.6\n":               "version",
		"apiVersion: v2\n":               "apiVersion",
		"type: library\n":                "type",
		"description: x\n":               "description",
		"description: \"\"\n":            "description",
		"appVersion: x\n":                "appVersion",
		"deprecated: false\n":            "deprecated",
		"annotations: {x: y}\n":          "annotations",
		"annotations: null\n":            "annotations", // empties Chart.yaml's
		"sources: []\n":                  "sources",
		"kubeVersion: x\n":               "kubeVersion",
	} {
		md := &Metadata{
			Name: "c", Version: "1.0.0", APIVersion: APIVersionV1, Description: "d", Deprecated: true,
			Sources: []string{"s"}, Annotations: map[string]string{"a": "b"},
		}
		_, _, err := LayRequirements(md, []byte(in))
		var e *Error
		if !errors.As(err, &e) || e.Kind != ErrDependency || e.Field != field {
			t.Errorf("%q: error %v, want one about %s", in, err, field)
		}
	}
}

// What a chart depends on when both files say something: the results of Helm 3.22
// and 4.2. For v1 charts Helm 2.17 must read the same, or the chart is refused.
func TestLayRequirements(t *testing.T) {
	declared := func() []*Dependency {
		return []*Dependency{{Name: "x", Version: "1", Repository: "http://a", Alias: "b", Tags: []string{"t", "u"}}}
	}
	mixed := &Dependency{Name: "z", Version: "1", Repository: "http://c", Alias: "b", Tags: []string{"t", "u"}}
	tests := map[string]struct {
		in       string
		want     []*Dependency // Helm 3 and 4
		declares bool
		refused  bool // for v1
	}{
		"nothing":      {"{}\n", nil, false, false},
		"null":         {"dependencies: null\n", nil, true, false},
		"empty":        {"dependencies: []\n", []*Dependency{}, true, false},
		"the same":     {"dependencies: [{name: x, version: \"1\", repository: http://a, alias: b, tags: [t, u]}]\n", declared(), true, false},
		"element-wise": {"dependencies: [{name: z, repository: http://c}]\n", []*Dependency{mixed}, true, true},
		"fewer tags":   {"dependencies: [{name: x, version: \"1\", repository: http://a, alias: b, tags: [v]}]\n", []*Dependency{{Name: "x", Version: "1", Repository: "http://a", Alias: "b", Tags: []string{"v"}}}, true, false},
	}
	for name, tt := range tests {
		for _, api := range []string{APIVersionV1, APIVersionV2} {
			t.Run(name+"/"+api, func(t *testing.T) {
				md := &Metadata{APIVersion: api, Dependencies: declared()}
				got, declares, err := LayRequirements(md, []byte(tt.in))
				if refused := err != nil; refused != (tt.refused && api == APIVersionV1) {
					t.Fatalf("error %v", err)
				}
				if err == nil && declares != tt.declares {
					t.Errorf("declares %v, want %v", declares, tt.declares)
				}
				if diff := cmp.Diff(tt.want, got); err == nil && declares && diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if diff := cmp.Diff(declared(), md.Dependencies); diff != "" {
					t.Errorf("Chart.yaml's own changed\n%s", diff)
				}
			})
		}
	}
	own, declares, err := LayRequirements(&Metadata{APIVersion: APIVersionV1}, []byte("dependencies: [{name: z}]\n"))
	if err != nil || !declares || len(own) != 1 {
		t.Errorf("alone: %v, %v, %v", own, declares, err)
	}
}

// FuzzLayRequirements holds for any two files: what is taken, Helm 3 and 4 read the
// same way, and Helm 2 where it reads the chart at all.
func FuzzLayRequirements(f *testing.F) {
	for _, data := range []string{
		"{}", "dependencies: null", "dependencies: []", "dependencies: [{name: z}]", "dependencies: [{name: x, tags: [a]}, {name: y}]",
		"Dependencies: [{name: a}]\ndependencies: [{Name: b}]\n", "description: x", "sources: null", "annotations: {}", "---\ndependencies:\n- {name: a, import-values: [{child: b}]}\n",
	} {
		f.Add([]byte("name: c\nversion: 1.0.0\ndependencies: [{name: x, alias: b, tags: [t, u], import-values: [{child: a}]}]\n"), []byte(data))
		f.Add([]byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"), []byte(data))
	}
	f.Fuzz(func(t *testing.T, metadata, data []byte) {
		md, _, err := ParseMetadata(metadata)
		if err != nil {
			return
		}
		deps, declares, err := LayRequirements(md, data)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if declares {
			md.Dependencies = deps
		}
		helm := new(Metadata)
		if yaml.Unmarshal(metadata, helm) != nil {
			t.Fatal("Helm reads no Chart.yaml that is read here")
		}
		if helm.APIVersion == "" {
			helm.APIVersion = APIVersionV1
		}
		if err := yaml.Unmarshal(data, helm); err != nil {
			t.Fatalf("Helm says %v", err)
		}
		if err := helm.Validate(); err != nil {
			t.Fatalf("as Helm has it: %v", err)
		}
		if diff := cmp.Diff(helm, md, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-Helm 3 +ours)\n%s", diff)
		}
		if !declares || md.APIVersion != APIVersionV1 {
			return
		}
		var two struct {
			Dependencies []*Dependency `json:"dependencies"`
		}
		if err := yaml.Unmarshal(data, &two); err != nil {
			t.Fatalf("Helm 2 says %v", err)
		}
		if err := ValidateDependencies(RequirementsFile, two.Dependencies); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(two.Dependencies, md.Dependencies, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-Helm 2 +ours)\n%s", diff)
		}
	})
}
