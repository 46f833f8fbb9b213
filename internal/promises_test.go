package internal_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testName finds the names of tests in a page.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")

// TestPromises: each promise of SECURITY.md and docs/reliability.md names the tests that
// hold it, and those exist. A promise is a list's item or a paragraph in the sections
// below, or a row of a table that has a column for tests; not one that ends in a colon,
// which introduces others, or begins with "Not".
func TestPromises(t *testing.T) {
	exist := testsOfTheTree(t)
	for page, sections := range map[string][]string{
		"SECURITY.md":         {"What is promised"},
		"docs/reliability.md": {"What is durable when", "What a crash leaves", "What was attacked", "What was found"},
	} {
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(page)))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range testName.FindAllStringSubmatch(string(data), -1) {
			if !exist[name[1]] {
				t.Errorf("%s names %s, and there is no such test", page, name[1])
			}
		}
		section, found := "", 0
		for _, p := range blocks(string(data)) {
			if title, ok := strings.CutPrefix(strings.TrimLeft(p, "#"), " "); ok && p[0] == '#' {
				section = title
				continue
			}
			if !slices.Contains(sections, section) || strings.HasSuffix(p, ":") || strings.HasPrefix(p, "Not ") {
				continue
			}
			if found++; !testName.MatchString(p) {
				t.Errorf("%s, %s: no test is named: %.120s", page, section, p)
			}
		}
		if found < 10 {
			t.Errorf("%s: %d promises found in %v", page, found, sections)
		}
	}
}

// blocks cuts a page into headings, paragraphs, items of lists, and rows of those tables
// that have a column for tests.
func blocks(page string) []string {
	var all []string
	for paragraph := range strings.SplitSeq(page, "\n\n") {
		paragraph = strings.TrimSpace(paragraph)
		switch rows := strings.Split(paragraph, "\n"); {
		case paragraph == "":
		case paragraph[0] == '#':
			all = append(all, rows[0])
		case paragraph[0] == '|' && strings.HasSuffix(rows[0], "| test |"):
			all = append(all, rows[2:]...)
		case paragraph[0] == '|':
		default:
			all = append(all, strings.Split(paragraph, "\n- ")...)
		}
	}
	return all
}

// testsOfTheTree returns the names of all tests and fuzz targets.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
	names := map[string]bool{}
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
		if err != nil {
			continue // deleted, and not yet committed
		}
		for _, m := range declared.FindAllSubmatch(data, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}

// TestNothingIsRun: of all that is linked into the program only what renders with
// helm can start another (SECURITY.md).
func TestNothingIsRun(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{.Imports}}{{end}}", "../cmd/chartserve").Output()
	if err != nil {
		t.Fatal(err)
	}
	may := []string{"chartserve/cmd/chartserve", "chartserve/internal/airgap/images"} // the first looks for the program, and no more
	for line := range strings.Lines(string(out)) {
		room, imports, _ := strings.Cut(strings.Trim(line, "\n]"), " [")
		if slices.Contains(strings.Fields(imports), "os/exec") && !slices.Contains(may, room) {
			t.Errorf("%s imports os/exec", room)
		}
	}
	starts := regexp.MustCompile(`\b(exec\.Command\w*|os\.StartProcess|syscall\.(Exec|ForkExec|StartProcess))\(`)
	for _, f := range sources(t) {
		data, err := os.ReadFile(filepath.Join("..", f.path))
		if err != nil {
			t.Fatal(err)
		}
		if call := starts.Find(data); call != nil && !f.test && f.path != "internal/airgap/images/render.go" {
			t.Errorf("%s calls %s", f.path, call)
		}
	}
}
