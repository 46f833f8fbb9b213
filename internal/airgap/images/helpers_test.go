package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/pkgr"
)

// files are a chart's directory: content by slash-separated name.
type files map[string]string

// load writes the files and reads them as a chart. Without a Chart.yaml they are
// web 1.0.0 with the appVersion v7.
func load(t testing.TB, list files) *pkgr.Chart {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	if _, ok := list["Chart.yaml"]; !ok {
		must(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(meta("web", "appVersion: v7\n")), 0o644))
	}
	for name, content := range list {
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	tree, err := pkgr.NewChecker(pkgr.Limits{}).List(dir, []string{dir}, nil)
	must(t, err)
	c, err := tree.Load()
	must(t, err)
	return c
}

func meta(name, more string) string {
	return "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n" + more
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// short is one line for each image, "KEY REF" and what is special, and one for
// each that is undecided, "KEY? VALUE".
func short(found []Image, undecided []Undecided) []string {
	var lines []string
	for _, i := range found {
		line := i.Key + " " + i.Ref()
		if i.AppVersionTag {
			line += " appVersion"
		}
		if i.Disabled {
			line += " disabled"
		}
		lines = append(lines, line)
	}
	for _, u := range undecided {
		lines = append(lines, u.Key+"? "+u.Value)
	}
	return lines
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// hexDigest is digest as some charts write it.
var hexDigest = strings.TrimPrefix(digest, "sha256:")

func valuesOf(text string) pkgr.File { return pkgr.File{Name: valuesFile, Data: []byte(text)} }

// Find finds with the zero Finder.
func Find(c *pkgr.Chart) ([]Image, []Undecided) { return new(Finder).Find(c) }
