package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// provoked has a command line and the files below it for messages of
// docs/troubleshooting.md, by the words that it has for them.
func provoked() map[string][2]string {
	dependency := func(repository string) string {
		return "-- c/web/Chart.yaml --\napiVersion: v2\nname: web\nversion: 1.0.0\n" +
			"dependencies:\n- {name: db, version: ^1, repository: '" + repository + "'}\n"
	}
	return map[string][2]string{
		"not valid YAML: line ...":                                   {"build c", chartOf("web", "1.0.0") + "-- c/web/values.yaml --\na:\n\tb: 1\n"},
		"not a semantic version":                                     {"build c", chartOf("web", "1.2.3.4")},
		"Chart.yaml: name: missing":                                  {"build c", chartOf("", "1.0.0")},
		"Chart.yaml: missing, but there is ...":                      {"build c", "-- c/web/chart.yaml --\nname: web\nversion: 1.0.0\n-- c/web/values.yaml --\n"},
		"it is in a remote repository":                               {"build c", dependency("https://charts.example.com")},
		"the repository name is not known":                           {"build c", dependency("@stable")},
		"no chart or archive of that name is in this repository":     {"build c", dependency("http://localhost:8879/charts")},
		"has version ... (widen the version, or change the chart's)": {"build c", dependency("file://../db") + chartOf("db", "2.0.0")},
		"there is no chart at that path":                             {"build c", dependency("file://../db")},
		"needs ...: Chart.yaml: ...":                                 {"build c", dependency("file://../db") + chartOf("db", "1.x")},
		"dependency cycle: ...":                                      {"build c", dependency("file://../web")},
		"over the limit of ... bytes a file":                         {"build --max-file-size 1KiB c", chartOf("web", "1.0.0") + "-- c/web/big --\n" + strings.Repeat("0123456789abcde\n", 65)},
		"Helm has no double star":                                    {"build c", chartOf("web", "1.0.0") + "-- c/web/.helmignore --\n**/*.log\n"},
		"not a gzip file":                                            {"build c", "-- c/web-1.0.0.tgz --\n<html>\n"},
		"Helm reads ... as ... (write it in quotes)":                 {"build c", chartOf("web", "1.0.0") + "appVersion: 1.10\n"},
		"stands there twice: Helm reads the last one":                {"build c", chartOf("web", "1.0.0") + "version: 2.0.0\n"},
		"the same chart stands in ...":                               {"build c d", chartOf("web", "1.0.0") + "-- d/web/Chart.yaml --\nname: web\nversion: 1.0.0\n"},
		"is out of sync with the dependencies and is not used":       {"build c", dependency("file://../db") + chartOf("db", "1.0.0") + "-- c/web/Chart.lock --\ndependencies: []\ndigest: sha256:0\n"},
		"is neither a command nor a directory":                       {"srve", ""},
		"does not exist: create it, or name another directory":       {"build nosuch", ""},
		"No chart found in ...":                                      {"build c", "-- c/README --\n"},
		"does not answer ... (is it the server's --address, ...":     {"health --address localhost:1", ""},
		"not an address of this machine":                             {"serve --address 203.0.113.1:8879 c", chartOf("web", "1.0.0")},
		"are no pair: ...":                                           {"serve --address localhost:0 --tls-cert c/web/Chart.yaml --tls-key c/web/Chart.yaml c", chartOf("web", "1.0.0")},
		"unknown key":                                                {"build --config s.yaml c", "-- s.yaml --\nrepopath: x\n"},
		"it is a text (write true or false, without quotes)":         {"build --config s.yaml c", "-- s.yaml --\nprune: \"yes\"\n"},
	}
}

// chartOf is a chart below c, for txtar.
func chartOf(name, version string) string {
	return "-- c/" + name + "/Chart.yaml --\nname: " + name + "\nversion: " + version + "\n"
}

// TestTroubleshooting: the messages that docs/troubleshooting.md explains are those of the
// program: a run says them, or they are in its code.
func TestTroubleshooting(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	ours, _, _ := strings.Cut(string(page), "\n## What Helm says") // test/e2e has the rest
	runs, code := provoked(), literals(t)
	for _, m := range regexp.MustCompile("(?m)^### `(.+)`$|^\\| [45]\\d\\d \\| (`.+?`) \\|").FindAllStringSubmatch(ours, -1) {
		for _, message := range strings.Split(m[1]+strings.Trim(m[2], "`"), "`, `") {
			run, ok := runs[message]
			delete(runs, message)
			if !ok {
				for part := range strings.SplitSeq(message, "...") {
					if !strings.Contains(code, strings.TrimSpace(part)) {
						t.Errorf("%s: nothing in the code says %q", message, part)
					}
				}
				continue
			}
			t.Run(message, func(t *testing.T) {
				t.Chdir(t.TempDir())
				for _, f := range txtar.Parse([]byte(run[1])).Files {
					writeFile(t, f.Name, string(f.Data))
				}
				_, stdout, stderr := call(t, strings.Fields(run[0])...)
				want := strings.ReplaceAll(regexp.QuoteMeta(message), `\.\.\.`, ".+")
				if got := stdout + stderr; !regexp.MustCompile(want).MatchString(got) {
					t.Errorf("%s: got\n%s", run[0], got)
				}
			})
		}
	}
	for message := range runs {
		t.Errorf("the page does not have %q", message)
	}
}

// literals returns the text constants of the program, each on lines of its own.
func literals(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, root := range []string{".", "../../internal"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					all.WriteString(text + "\n")
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
