package e2e

import (
	"encoding/json"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ignoreCase is a row of testdata/helmignore.json, which the unit tests of package
// chart read as well.
type ignoreCase struct {
	Name       string
	Helmignore *string
	Files      []string
	Kept       []string
	// Error: there is no archive, for bad rules or for want of a Chart.yaml.
	Error bool
}

// helm3Differs is the one case where Helm 3 does something else than Helm 4, whose
// rules are ours: it takes another slash off the pattern at each file.
const helm3Differs = "two leading slashes match nothing"

// TestHelmignore holds the shared table against what `helm package` really does,
// and chartserve against the same.
func TestHelmignore(t *testing.T) {
	var cases []ignoreCase
	must(t, json.Unmarshal([]byte(read(t, "../../testdata/helmignore.json")), &cases))
	if len(cases) < 50 {
		t.Fatalf("only %d cases in the table", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			dir := c.write(t)
			for _, name := range []string{"helm3", "helm4"} {
				if name == "helm3" && c.Name == helm3Differs {
					continue
				}
				path, r := helm(t, name).pack(t, dir, t.TempDir())
				c.check(t, name, path, r)
			}
			r := serveTool(t, dir, "package", dir, "-d", t.TempDir())
			c.check(t, "chartserve", packaged(r), r)
		})
	}
}

func (c ignoreCase) write(t *testing.T) string {
	t.Helper()
	tree := files{}
	for _, name := range c.Files {
		switch {
		case name == "Chart.yaml":
			tree[name] = "apiVersion: v2\nname: t\nversion: 1.0.0\n"
		case strings.HasSuffix(name, ".json"):
			tree[name] = "{}\n"
		default:
			tree[name] = "a: b\n"
		}
	}
	if c.Helmignore != nil {
		tree[".helmignore"] = *c.Helmignore
	}
	return tree.write(t, filepath.Join(t.TempDir(), "t"))
}

// check holds one packager's archive, or its refusal, against the table.
func (c ignoreCase) check(t *testing.T, who, path string, r result) {
	t.Helper()
	if c.Error {
		if path != "" || r.ok() {
			t.Errorf("%s: made %s (exit %d), want an error", who, path, r.code)
		}
		return
	}
	if path == "" {
		t.Errorf("%s: exit %d, want an archive\n%s", who, r.code, r.all())
		return
	}
	var got []string
	for _, m := range members(t, path) {
		got = append(got, strings.TrimPrefix(m.header.Name, "t/"))
	}
	sort.Strings(got)
	want := append([]string(nil), c.Kept...)
	sort.Strings(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: members (-want +got):\n%s", who, diff)
	}
}
