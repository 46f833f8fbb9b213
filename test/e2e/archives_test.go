package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// oddHeader is a tar header that archive/tar does not write: size is the field itself.
func oddHeader(name string, kind byte, link, size string) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:136], size)
	copy(b[136:], "00000000000\x00        ")
	b[156] = kind
	copy(b[157:], link)
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00", sum))
	return b
}

// TestArchivesAsHelm: whatever stands in a folder, an archive that is published is
// loaded by every Helm that reads its apiVersion, and each says of the chart what
// the index says.
func TestArchivesAsHelm(t *testing.T) {
	const v1, v2 = "apiVersion: v1\nname: c\nversion: 1.0.0\ndescription: mine\n", "apiVersion: v2\nname: c\nversion: 1.0.0\ndescription: mine\n"
	const declared = "dependencies:\n- {name: x, version: \"1\", repository: \"http://a\", alias: b}\n"
	of := func(metadata string, more ...member) []byte {
		return tgz(t, append([]member{file("c/Chart.yaml", metadata)}, more...)...)
	}
	requirements := func(text string) member { return file("c/requirements.yaml", text) }
	sub := string(tgz(t, file("s/Chart.yaml", "apiVersion: v1\nname: s\nversion: 1.0.0\n")))
	raw := func(parts ...[]byte) []byte { return gzipped(t, bytes.Join(parts, nil)) }
	body := append(oddHeader("c/Chart.yaml", '0', "", fmt.Sprintf("%011o", len(v1))), append([]byte(v1), make([]byte, 512-len(v1))...)...)
	end := make([]byte, 1024)
	const minusOne = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	cases := map[string]struct {
		archive   []byte
		published bool
	}{
		"plain":                             {of(v1, file("c/values.yaml", "a: 1\n")), true},
		"as tar -C chart . makes it":        {tgz(t, file("./Chart.yaml", v1), file("./values.yaml", "a: 1\n"), file("./charts/s.tgz", sub)), true},
		"dot and directory":                 {tgz(t, file("./c/Chart.yaml", v1)), false},
		"no end":                            {raw(body), true},
		"no end, zeros behind":              {append(raw(body), 0, 0, 0, 0), false},
		"zeros behind":                      {append(raw(body, end), 0, 0, 0, 0), true},
		"link with a size":                  {raw(body, oddHeader("c/l", '2', "Chart.yaml", "00000000005"), end), false},
		"link of negative size":             {raw(body, oddHeader("c/l", '2', "Chart.yaml", minusOne), end), false},
		"directory with a size":             {raw(body, oddHeader("c/d/", '5', "", "00000001000"), end), true},
		"values of no sub-chart":            {of(v1, file("c/charts/s/values.yaml", "a: 1\n")), false},
		"directory like an archive":         {of(v1, file("c/charts/s.tgz/x", ""), file("c/charts/s.tgz", sub)), false},
		"bad lock, then a good one":         {of(v1, file("c/requirements.lock", "a: ["), file("c/requirements.lock", "digest: x\n")), false},
		"bad requirements, then good":       {of(v1, requirements("a: ["), requirements("dependencies: []\n")), false},
		"bad values, then good":             {of(v1, file("c/values.yaml", "- a\n"), file("c/values.yaml", "a: 1\n")), false},
		"escape that YAML does not know":    {of(v1, file("c/values.yaml", `a: "x\/y"`)), false},
		"another identity, twice":           {of(v1, requirements("name: evil\nversion: 6.6.6\n"), requirements("dependencies: []\n")), false},
		"another name":                      {of(v1, requirements("Name: evil\n")), false},
		"another description":               {of(v1, requirements("description: theirs\n")), false},
		"another description, v2":           {of(v2, requirements("description: theirs\n")), false},
		"no description":                    {of(v1, requirements("description: \"\"\n")), false},
		"no annotations":                    {of(v1+"annotations: {x: z}\n", requirements("annotations: null\n")), false},
		"dependencies in both, mixed":       {of(v1+declared, requirements("dependencies: [{name: y, repository: r}]\n")), false},
		"dependencies in both, v2":          {of(v2+declared, requirements("dependencies: [{name: z, repository: r}]\n")), true},
		"dependencies in both, the same":    {of(v1+declared, requirements(declared)), true},
		"dependencies taken away":           {of(v1+declared, requirements("dependencies: []\n")), true},
		"dependencies taken away by null":   {of(v1+declared, requirements("dependencies: null\n")), true},
		"dependencies in requirements":      {of(v1, requirements(declared)), true},
		"requirements without dependencies": {of(v2+declared, requirements("{}\n")), true},
		"two versions of one sub-chart":     {of(v2, file("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"), file("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 2.0.0\n")), false},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "c-1.0.0.tgz")
			must(t, os.WriteFile(path, tt.archive, 0o644))
			r := serveTool(t, dir, "index", dir)
			entry := entries(t, filepath.Join(dir, "index.yaml"))["c 1.0.0"]
			if got := entry != nil; got != tt.published {
				t.Fatalf("published: %v, want %v\n%s", got, tt.published, r.all())
			}
			if entry == nil {
				return
			}
			for _, name := range clients() {
				if name == "helm2" && entry["apiVersion"] != "v1" {
					continue
				}
				var shown map[string]any
				must(t, yaml.Unmarshal([]byte(helm(t, name).show(t, "chart", path)), &shown))
				fields := []string{"name", "version", "description", "annotations", "dependencies"}
				if name == "helm2" {
					fields = fields[:3] // it knows no dependencies in a chart's metadata
				}
				for _, field := range fields {
					if diff := cmp.Diff(entry[field], shown[field]); diff != "" {
						t.Errorf("%s: %s (-index +%s)\n%s", name, field, name, diff)
					}
				}
			}
		})
	}
}
