package gen

import (
	"embed"
	"sort"
	"strings"
)

//go:embed data
var data embed.FS

// section is one named part of a data file: "-- NAME --" and the lines below it,
// as in a txtar archive.
type section struct{ name, text string }

// sections reads a data file. Text above the first section is a comment.
func sections(name string) []section {
	var list []section
	for line := range strings.Lines(text(name)) {
		if head, ok := strings.CutPrefix(line, "-- "); ok {
			list = append(list, section{name: strings.TrimSuffix(strings.TrimSpace(head), " --")})
			continue
		}
		if len(list) > 0 {
			list[len(list)-1].text += line
		}
	}
	return list
}

// table reads a data file of lines of fields, without its comments.
func table(name string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text(name)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			rows = append(rows, fields)
		}
	}
	return rows
}

// text is an embedded data file. A missing one is a mistake in this package, not
// in its input.
func text(name string) string {
	b, err := data.ReadFile("data/" + name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fill replaces each @token@ of text by its value.
func fill(text string, tokens map[string]string) string {
	keys := make([]string, 0, len(tokens))
	for k := range tokens {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	pairs := make([]string, 0, 2*len(keys))
	for _, k := range keys {
		pairs = append(pairs, "@"+k+"@", tokens[k])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
