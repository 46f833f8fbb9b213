// Package internal_test checks what is true of the repository as a whole and no
// compiler checks: which package may import which, what go.mod may require, what
// no file may contain. What a package does is its own tests' business.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms says which rooms each room may import. The arrows point one way: from the
// command, over HTTP and the running repository, to what a chart is.
func rooms() map[string][]string {
	return map[string][]string{
		"internal/chart":         {},
		"internal/access":        {"internal/chart", "internal/reload"},
		"internal/reload":        {"internal/chart"},
		"internal/settings":      {"internal/chart"},
		"internal/listen":        {"internal/reload"},
		"internal/fileid":        {},
		"internal/unixtest":      {},
		"internal/roots":         {"internal/chart"},
		"internal/wholefile":     {},
		"internal/watch":         {"internal/fileid"},
		"internal/remote":        {"internal/chart", "internal/index", "internal/provenance"},
		"internal/pkgr":          {"internal/chart", "internal/fileid", "internal/roots"},
		"internal/index":         {"internal/chart"},
		"internal/store":         {"internal/chart", "internal/fileid", "internal/index", "internal/wholefile"},
		"internal/provenance":    {"internal/chart"},
		"internal/airgap/folder": {"internal/chart", "internal/index", "internal/pkgr"},
		"internal/airgap/images": {"internal/airgap/folder", "internal/chart", "internal/pkgr", "internal/repo"},
		"internal/airgap/mirror": {"internal/airgap/folder", "internal/chart", "internal/index", "internal/pkgr", "internal/provenance", "internal/remote", "internal/store"},
		"internal/airgap/bundle": {"internal/airgap/folder", "internal/chart", "internal/index", "internal/pkgr", "internal/provenance", "internal/store", "internal/wholefile"},
		"internal/airgap/verify": {"internal/airgap/folder", "internal/airgap/images", "internal/chart", "internal/index", "internal/pkgr", "internal/provenance", "internal/remote"},
		"internal/resolve":       {"internal/chart"},
		"internal/layout":        {"internal/fileid", "internal/store"},
		"internal/repo":          {"internal/fileid", "internal/layout", "internal/roots", "internal/resolve", "internal/chart", "internal/pkgr", "internal/index", "internal/watch", "internal/provenance", "internal/store", "internal/wholefile"},
		"internal/repos":         {"internal/layout", "internal/pkgr", "internal/repo", "internal/wholefile"},
		"internal/page":          {"internal/airgap/images", "internal/chart", "internal/index", "internal/page/diff", "internal/page/graph", "internal/page/markup", "internal/page/values", "internal/pkgr", "internal/repo"},
		"internal/page/diff":     {"internal/chart", "internal/page/values", "internal/pkgr"},
		"internal/page/graph":    {},
		"internal/page/values":   {"internal/chart"},
		"internal/page/markup":   {},
		"internal/oci":           {"internal/chart", "internal/layout", "internal/provenance", "internal/repo"},
		"internal/accesslog":     {},
		"internal/metrics":       {"internal/repo"},
		"internal/httpapi":       {"internal/access", "internal/accesslog", "internal/chart", "internal/index", "internal/layout", "internal/oci", "internal/page", "internal/page/markup", "internal/pkgr", "internal/provenance", "internal/repo"},
		"cmd/chartserve":         {"internal/access", "internal/accesslog", "internal/chart", "internal/metrics", "internal/pkgr", "internal/index", "internal/watch", "internal/layout", "internal/listen", "internal/page", "internal/page/markup", "internal/reload", "internal/store", "internal/airgap/mirror", "internal/remote", "internal/repo", "internal/repos", "internal/resolve", "internal/settings", "internal/httpapi", "internal/airgap/verify", "internal/provenance", "internal/airgap/bundle", "internal/airgap/folder", "internal/airgap/images", "internal/wholefile"},
	}
}

// homes names the rooms, mostly one, that may import a package, and those below it: what
// the others see of it is that room's own interface.
func homes() map[string]string {
	return map[string]string{
		"flag":                            "cmd/chartserve",
		"github.com/spf13/cobra":          "cmd/chartserve",
		"github.com/spf13/pflag":          "cmd/chartserve",
		"github.com/coreos/go-systemd":    "internal/listen",
		"github.com/fsnotify/fsnotify":    "internal/watch",
		"github.com/google/renameio":      "internal/wholefile",
		"github.com/go-chi/chi":           "internal/httpapi",
		"github.com/ProtonMail/go-crypto": "internal/provenance",
		"oras.land/oras-go":               "internal/remote",
		"github.com/prometheus":           "internal/metrics",

		"github.com/rogpeppe/go-internal/diff": "internal/page/diff",
		"go.yaml.in/yaml/v3":                   "internal/page/values internal/settings", // lines
		"github.com/microcosm-cc":              "internal/page/markup",
		"github.com/yuin/goldmark":             "internal/page/markup",
	}
}

// onlyInTests lists what must not end up in the binary.
func onlyInTests() []string {
	return []string{
		"chartserve/internal/unixtest",
		"testing",
		"net/http/httptest",
		"github.com/google/go-cmp",
		"github.com/rogpeppe/go-internal/testscript",
		"github.com/rogpeppe/go-internal/txtar",
		"go.uber.org/goleak",
	}
}

// TestRooms follows every import between rooms. Tests may look further than the
// code beside them, as they have to make real input.
func TestRooms(t *testing.T) {
	allowed, module := rooms(), modulePath(t)
	seen, arrows := map[string]bool{}, 0
	for _, f := range sources(t) {
		seen[f.room] = true
		may, known := allowed[f.room]
		if !known {
			if !f.test {
				t.Errorf("%s: the room %s is not in the table: add it, with what it may import", f.path, f.room)
			}
			continue
		}
		for _, imported := range f.imports {
			below, ours := strings.CutPrefix(imported, module+"/")
			if ours {
				arrows++
			}
			if room := roomOf(below); ours && !f.test && room != f.room && !slices.Contains(may, room) {
				t.Errorf("%s imports %s: %s may import only %v", f.path, imported, f.room, may)
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(allowed)) {
		if !seen[room] {
			t.Errorf("the room %s of the table has no Go files", room)
		}
	}
	if arrows == 0 {
		t.Errorf("no file imports anything below %s", module)
	}
}

// modulePath is the path of the server's module, as in go.mod.
func modulePath(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimPrefix(line, "module ")
}

// TestHomes keeps each framework behind the room that is there for it, in tests
// too: a test that needs chi outside httpapi tests the wrong thing.
func TestHomes(t *testing.T) {
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			for lib, home := range homes() {
				golden := f.test && lib == "flag"                            // -update
				signed := f.test && lib == "github.com/ProtonMail/go-crypto" // keys for what others verify
				pages := f.room == "internal" && lib == "github.com/yuin/goldmark"
				if within(imported, lib) && !slices.Contains(strings.Fields(home), f.room) && !golden && !signed && !pages {
					t.Errorf("%s imports %s, which belongs to %s", f.path, imported, home)
				}
			}
		}
	}
}

func TestOnlyInTests(t *testing.T) {
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			for _, lib := range onlyInTests() {
				if within(imported, lib) && !f.test {
					t.Errorf("%s imports %s, which is for _test.go files", f.path, imported)
				}
			}
		}
	}
}

// source is one Go file of the server's module.
type source struct {
	path    string // relative to the repository, slash-separated
	room    string // see roomOf
	test    bool
	imports []string
}

// sources reads the imports of the module's Go files.
//
// It reads them itself rather than ask `go list`, for two reasons: `go list` sees
// the files of one platform only, and `go test` takes a cached result for this
// one unless the test itself opened what has changed since.
func sources(t *testing.T) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != ".." && skipped(name):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(name), "../")
		src := source{path: rel, room: roomOf(path.Dir(rel)), test: strings.HasSuffix(rel, "_test.go")}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			src.imports = append(src.imports, imported)
		}
		files = append(files, src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// skipped tells whether a folder is none of the module's: what the go command
// leaves out too.
func skipped(dir string) bool {
	base := filepath.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// roomOf returns the room that a folder belongs to: its first two segments, and
// below internal/airgap and internal/page, which are several rooms, its first three.
func roomOf(dir string) string {
	depth := 2
	if within(dir, "internal/airgap") || within(dir, "internal/page") {
		depth = 3
	}
	segments := strings.SplitN(dir, "/", depth+1)
	return strings.Join(segments[:min(depth, len(segments))], "/")
}

// within tells whether a package is lib or lies below it.
func within(imported, lib string) bool {
	return imported == lib || strings.HasPrefix(imported, lib+"/")
}
