package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWarnings(t *testing.T) {
	const quotes = " (write it in quotes)"
	cases := map[string]struct {
		in   string
		want []string
	}{
		"none":                 {base + "appVersion: 1.16.0\ndescription: a\n", nil},
		"none, quoted":         {base + "appVersion: \"1.10\"\n", nil},
		"none, number kept":    {base + "appVersion: 1.5\nkeywords: [1, true]\n", nil},
		"none, tagged text":    {base + "appVersion: !!str 1.10\n", nil},
		"none, header, footer": {"# license: x\n---\n" + base + "...\n", nil},
		"none, empty second":   {base + "---\n# nothing\n", nil},
		"none, nested repeats": {base + "maintainers:\n- name: a\n- name: b\ndescription: |\n  name: x\n", nil},
		"none, JSON":           {`{"apiVersion":"v2","name":"t","version":"1.2.3","appVersion":"1.10"}`, nil},
		"none, flow":           {"{\napiVersion: v2,\nname: t,\nversion: 1.2.3,\nmaintainers: [{\nname: a}, {\nname: b}]}\n", nil},
		"version":              {withVersion("1.20"), []string{`Chart.yaml: version: Helm reads 1.20 as "1.2"` + quotes}},
		"exponent":             {withVersion("1e3"), []string{`Chart.yaml: version: Helm reads 1e3 as "1000"` + quotes}},
		"name":                 {withName("yes"), []string{`Chart.yaml: name: Helm reads yes as "true"` + quotes}},
		"appVersion":           {base + "appVersion: 1.10\n", []string{`Chart.yaml: appVersion: Helm reads 1.10 as "1.1"` + quotes}},
		"commit":               {base + "appVersion: 1234e56\n", []string{`Chart.yaml: appVersion: Helm reads 1234e56 as "+Inf"` + quotes}},
		"date and build":       {base + "appVersion: 20190101.1234\n", []string{`Chart.yaml: appVersion: Helm reads 20190101.1234 as "2.0190102e+07"` + quotes}},
		"octal":                {base + "appVersion: 0755\n", []string{`Chart.yaml: appVersion: Helm reads 0755 as "493"` + quotes}},
		"other case":           {"apiVersion: v2\nname: t\nVERSION: 1.20\n", []string{`Chart.yaml: version: Helm reads 1.20 as "1.2"` + quotes}},
		"CRLF":                 {"\uFEFFapiVersion: v2\r\nname: t\r\nversion: 1.20\r\n", []string{`Chart.yaml: version: Helm reads 1.20 as "1.2"` + quotes}},
		"through an alias":     {"x: &v 1.20\napiVersion: v2\nname: t\nversion: *v\n", []string{`Chart.yaml: version: Helm reads 1.20 as "1.2"` + quotes}},
		"JSON number":          {`{"apiVersion":"v2","name":"t","version":1.20}`, []string{`Chart.yaml: version: Helm reads 1.20 as "1.2"` + quotes}},
		"lists": {base + "keywords: [a, on]\nmaintainers: [{name: 1.0}]\nannotations: {b: 1.0, a: 2.0, \"-1\": 3.0, \"1\": off}\n", []string{
			`Chart.yaml: keywords[1]: Helm reads on as "true"` + quotes,
			`Chart.yaml: maintainers[0].name: Helm reads 1.0 as "1"` + quotes,
			`Chart.yaml: annotations.-1: Helm reads 3.0 as "3"` + quotes,
			`Chart.yaml: annotations.1: Helm reads off as "false"` + quotes,
			`Chart.yaml: annotations.a: Helm reads 2.0 as "2"` + quotes,
			`Chart.yaml: annotations.b: Helm reads 1.0 as "1"` + quotes,
		}},
		"dependencies": {base + "dependencies:\n- {name: a, version: 0.10, alias: no, tags: [x, y]}\n", []string{
			`Chart.yaml: dependencies[0].version: Helm reads 0.10 as "0.1"` + quotes,
			`Chart.yaml: dependencies[0].tags[1]: Helm reads y as "true"` + quotes,
			`Chart.yaml: dependencies[0].alias: Helm reads no as "false"` + quotes,
		}},
		"repeated key":    {base + "version: 2.0.0\n", []string{`Chart.yaml: version stands there twice: Helm reads the last one`}},
		"second document": {base + "---\nname: z\n", []string{`Chart.yaml: a second YAML document follows: Helm reads the first one only`}},
		"second is junk":  {base + "---\n\t{{{\n", []string{`Chart.yaml: a second YAML document follows: Helm reads the first one only`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, got, err := ParseMetadata([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWarningsAreBounded(t *testing.T) {
	_, got, err := ParseMetadata([]byte(base + "keywords:\n" + strings.Repeat("- 1.10\n", 1000)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != maxWarnings {
		t.Errorf("got %d warnings, want %d", len(got), maxWarnings)
	}
}
