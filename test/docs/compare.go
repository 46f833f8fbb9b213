package docs

import (
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// alike are the parts of outputs that differ from run to run, and what stands for each.
var alike = []struct {
	part *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|UTC|[-+]\d\d:?\d\d))?`), "TIME"},
	{regexp.MustCompile(`\b(\d+m)?\d+(\.\d+)?(ms|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "SHA256"},
	{regexp.MustCompile(`\(\d{5,} bytes\)`), "(SIZE)"},
	{regexp.MustCompile(`[ \t]+\n`), "\n"},
}

// logged are the parts of a log's line that differ from run to run: when it was written, and which
// events of the file system there were.
var logged = regexp.MustCompile(`(?m)^time=TIME |(because=)("[^"]*"|\S+)`)

// Says reports whether a log has a line that a page shows.
func Says(log, line string) bool {
	log, line = logged.ReplaceAllString(normal(log), "$1"), logged.ReplaceAllString(normal(line), "$1")
	return pattern("...\n" + line + "...\n").MatchString(log)
}

func normal(text string) string {
	text = strings.TrimRight(text, "\n") + "\n"
	for _, a := range alike {
		text = a.part.ReplaceAllString(text, a.as)
	}
	return strings.TrimRight(text, "\n") + "\n"
}

// Differ is empty if an output is what a page shows, else the difference, line by line.
func Differ(shown, got string) string {
	shown, got = normal(shown), normal(got)
	if pattern(shown).MatchString(got) {
		return ""
	}
	return string(diff.Diff("page", []byte(shown), "output", []byte(got)))
}

// pattern matches the outputs that a page means: "..." stands for lines, or for a part of one.
func pattern(shown string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for line := range strings.Lines(shown) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimSpace(line) == "..." {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`) + `\n`)
	}
	return regexp.MustCompile(b.String() + `\z`)
}
