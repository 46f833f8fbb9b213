//go:build linux

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// TestExamples: chartserve itself takes the flags and their values in each example of its --help, which
// are those of the pages below docs/reference. A last --help keeps it from doing what they say.
func TestExamples(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "reference", "chartserve*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	bin := absolute(t, filepath.Join(repository, "bin", "chartserve"))
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			examples := regexp.MustCompile("(?s)\n## Examples\n\n```\\w*\n(.*?)```").FindSubmatch(text)
			if examples == nil {
				t.Fatal("no examples")
			}
			calls := callsOf(t, string(examples[1]), "chartserve")
			if len(calls) == 0 {
				t.Error("chartserve is in no example")
			}
			for _, args := range calls {
				cmd := exec.Command(bin, append(args, "--help")...)
				cmd.Dir = t.TempDir()
				if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Usage:") {
					t.Errorf("chartserve %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
		})
	}
}

// callsOf are the arguments of each call of a program in a script, without quotes.
func callsOf(t *testing.T, script, program string) (calls [][]string) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		t.Fatal(err)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		call, isCall := n.(*syntax.CallExpr)
		if !isCall || len(call.Args) == 0 || call.Args[0].Lit() != program {
			return true
		}
		var args []string
		for _, word := range call.Args[1:] {
			var b strings.Builder
			if err := syntax.NewPrinter().Print(&b, word); err != nil {
				t.Fatal(err)
			}
			args = append(args, strings.Trim(b.String(), `'"`))
		}
		calls = append(calls, args)
		return true
	})
	return calls
}
