package mirror

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
)

func TestParseConfig(t *testing.T) {
	const text = `
repositories:
- url: https://charts.example.com/stable
  charts: ["nova@^1.2.0", mariadb]
  exclude: ["*-test"]
  latest: 3
  since: 2026-01-31
  devel: true
  withDependencies: true
  caFile: ca.pem
- path: archives
- oci: oci://registry.example.com/charts/keystone:1.0.0
  tokenEnv: TOKEN
`
	c, err := parseConfig("site", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []Source
	for _, r := range c.Repositories {
		s, err := r.Source()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	want := []Source{
		{Address: "https://charts.example.com/stable", WithDependencies: true, Filter: Filter{
			charts: []chart.Pick{{Name: "nova", Constraint: "^1.2.0"}, {Name: "mariadb"}}, exclude: []string{"*-test"}, latest: 3, devel: true,
			since: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		}},
		{Address: "site/archives"},
		{Address: "oci://registry.example.com/charts/keystone:1.0.0"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Filter{}, chart.Pick{})); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if c.Repositories[0].CAFile != "site/ca.pem" || c.Repositories[2].TokenEnv != "TOKEN" {
		t.Errorf("files and variables: %+v", c.Repositories)
	}
}

// A date needs no quotes, whatever YAML makes of it (docs/air-gap.md has one without).
func TestSince(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-01-31":                    time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		`"2026-01-31"`:                  time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-01-31T12:30:00Z":          time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
		"2026-01-31T12:30:00+09:00":     time.Date(2026, 1, 31, 3, 30, 0, 0, time.UTC),
		"'2026-01-31T12:30:00.5+09:00'": time.Date(2026, 1, 31, 3, 30, 0, 5e8, time.UTC),
	} {
		c, err := parseConfig("", []byte("repositories: [{path: a, since: "+text+"}]"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if s, err := c.Repositories[0].Source(); err != nil || !s.Filter.since.Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", text, s.Filter.since, err, want)
		}
	}
}

func TestBadConfig(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"":                                  "m.yaml: repositories: there are 0 (list 1 to",
		"repositories: []":                  "m.yaml: repositories: there are 0",
		"repositories: 3":                   "m.yaml: repositories: a number can't stand there",
		"[":                                 "m.yaml: ",
		"repositories: [{}]":                "m.yaml: repositories[0].url: set exactly one of url, path and oci",
		"repositories: [{path: a, oci: b}]": "repositories[0].url: set exactly one",
		"repositories: [{path: a}, {url: ftp://x}]":                          `repositories[1].url: not a source of charts: "ftp://x" (write http://`,
		"repositories: [{url: /srv/charts}]":                                 `repositories[0].url: "/srv/charts" belongs into the field path`,
		"repositories: [{url: oci://a/b}]":                                   "belongs into the field oci",
		"repositories: [{oci: oci://a}]":                                     "write oci://HOST/PATH/CHART",
		"repositories: [{path: a, charts: [x/y]}]":                           `repositories[0].charts[0] "x/y": write NAME`,
		"repositories: [{path: a, charts: [x@]}]":                            "write NAME or NAME@CONSTRAINT",
		"repositories: [{path: a, charts: ['x@>>1']}]":                       `repositories[0].charts[0] "x@>>1": `,
		"repositories: [{path: a, exclude: ['[']}]":                          `repositories[0].exclude[0] "[": not a glob`,
		"repositories: [{path: a, latest: -1}]":                              "repositories[0].latest \"-1\": write 0",
		"repositories: [{path: a, latest: x}]":                               "m.yaml: repositories.latest: a string can't stand there",
		"repositories: [{path: a, since: soon}]":                             `repositories[0].since "soon": write a date such as`,
		"repositories: [{path: a, lastest: 1}]":                              `m.yaml: unknown field "lastest" (docs/mirror.schema.json`,
		"repositories: [{path: a, path: b}]":                                 `"path" already set`,
		"repositories: [{path: a, usernameEnv: A}]":                          "repositories[0].passwordEnv: usernameEnv and passwordEnv belong together",
		"repositories: [{path: a, tokenEnv: T, usernameEnv: A}]":             "repositories[0].tokenEnv: ",
		"repositories: [{path: a, keyFile: k.pem}]":                          "repositories[0].keyFile: certFile and keyFile belong together",
		"repositories: [{url: 'https://u:hunter2@h/%zz'}]":                   "not a URL",
		"repositories: [{url: 'ftp://u:hunter2@h/x'}]":                       `"ftp://h/x"`,
		"#" + strings.Repeat("x", maxConfig) + "\nrepositories: [{path: a}]": "larger than",
	} {
		path := filepath.Join(dir, "m.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConfig(path)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.60s:\n got %v\nwant %s", text, err, want)
		}
	}
}

// TestSchema holds docs/mirror.schema.json against the structs.
func TestSchema(t *testing.T) {
	data, err := os.ReadFile("../../../docs/mirror.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		AdditionalProperties bool
		Properties           map[string]struct{ Type, Pattern string }
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	types := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Bool: "boolean", reflect.Slice: "array"}
	for _, c := range []struct {
		of  any
		got object
	}{{Config{}, schema.object}, {Repository{}, schema.Defs["repository"]}} {
		var want, got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.of)) {
			if f.Anonymous {
				continue // its fields are listed themselves
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, name+" "+types[f.Type.Kind()])
		}
		for name, p := range c.got.Properties {
			got = append(got, name+" "+p.Type)
			regexp.MustCompile(p.Pattern)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || c.got.AdditionalProperties {
			t.Errorf("properties of %T (-struct +schema):\n%s", c.of, diff)
		}
	}
}

// TestDocsExample reads each mirror.yaml of the documentation.
func TestDocsExample(t *testing.T) {
	for file, want := range map[string]int{"air-gap.md": 4, "dependencies.md": 2} {
		data, err := os.ReadFile("../../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(data), "```yaml\n")
		text, _, _ = strings.Cut(text, "```")
		c, err := parseConfig("", []byte(text))
		if err != nil || len(c.Repositories) != want {
			t.Errorf("%s: got %+v, %v, want %d repositories", file, c, err, want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("repositories: [{url: https://charts.example.com, charts: ['nova@^1']}]"))
	f.Add([]byte("repositories: [{path: a, since: 2026-01-31T00:00:00Z, latest: 2}]"))
	f.Add([]byte("repositories: [{oci: 'oci://h:1/a/b:1_2'}]"))
	f.Add([]byte("repositories: [{oci: 'oci://h/a@sha256:12', exclude: ['a*']}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("dir", data)
		if err != nil {
			return
		}
		for _, r := range c.Repositories {
			s, err := r.Source()
			if err != nil {
				t.Fatalf("read, then refused: %v", err)
			}
			if _, err := s.read(); err != nil || s.String() == "" {
				t.Errorf("%+v: %v", s, err)
			}
		}
	})
}
