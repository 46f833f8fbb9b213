package images

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"chartserve/internal/pkgr"
)

// Reads reports whether Find looks into a file besides Chart.yaml and values.yaml; name
// is relative to its chart.
func Reads(name string) bool {
	return strings.HasPrefix(name, "templates/") && slices.Contains([]string{".yaml", ".yml", ".tpl"}, path.Ext(name))
}

// templates adds the images that a chart's templates name as plain text, such as the
// one of the test pod that `helm create` writes: no value names them; and those that
// they put together from values in a way that is plain to read. Other mixtures of text
// and values are undecided.
func (f *finder) templates(n *node) {
	defer f.in("", "template")()
	// Not at package level: what is there is shared by all, and must not be.
	comment := regexp.MustCompile(`(?s)\{\{-?\s*/\*.*?\*/\s*-?\}\}`)
	values := newEvaluator(n)
	for _, file := range n.chart.Files {
		if !Reads(file.Name) {
			continue
		}
		f.file = n.dir + file.Name
		text := comment.ReplaceAllStringFunc(string(file.Data), func(c string) string {
			return strings.Repeat("\n", strings.Count(c, "\n")) // lines keep their numbers
		})
		number := 0
		for line := range strings.Lines(text) {
			number++
			value, ok := strings.CutPrefix(strings.TrimLeft(line, " -"), "image:")
			if value, _, _ = strings.Cut(value, " #"); ok {
				f.inTemplate(fmt.Sprintf("line %d", number), strings.Trim(strings.TrimSpace(value), `"'`), values)
			}
		}
	}
}

// tagPrefix is what a chart's templates write before appVersion in lines about images and
// tags; see scope.tagV.
func tagPrefix(c *pkgr.Chart) string {
	prefixed := regexp.MustCompile(`"v%s"[^}]*\.Chart\.AppVersion|\bv\{\{[^}]*\.Chart\.AppVersion`)
	with, without := false, false
	for _, file := range c.Files {
		if !Reads(file.Name) || !bytes.Contains(file.Data, []byte(".Chart.AppVersion")) {
			continue
		}
		for line := range strings.Lines(string(file.Data)) {
			lower := strings.ToLower(line)
			switch {
			case !strings.Contains(line, ".Chart.AppVersion") || !strings.Contains(lower, "image") && !strings.Contains(lower, "tag"):
			case prefixed.MatchString(line):
				with = true
			default:
				without = true
			}
		}
	}
	switch {
	case with && without:
		return "?"
	case with:
		return "v"
	}
	return ""
}

func (f *finder) inTemplate(key, value string, values *evaluator) {
	if !strings.Contains(value, "{{") {
		if plausible(value) && !slices.Contains([]string{"true", "false", "null", "~", "|", ">", "{}"}, value) {
			f.whole(key, value)
		}
		return
	}
	// In a helper .Values may be another chart's.
	if printed, ok := values.text(value); ok && strings.HasSuffix(f.file, "ml") && values.chart.Metadata.Type != "library" {
		if i, err := parseWhole(printed); err == nil && plausible(printed) {
			f.add(key, i)
			return
		}
	}
	// What is left besides the separators between values, and a tag's "v".
	left := values.action.ReplaceAllString(value, " ")
	left = strings.ReplaceAll(left, "sha256", "")
	if fields := strings.FieldsFunc(left, func(r rune) bool { return strings.ContainsRune(` :/@-."'`, r) }); slices.ContainsFunc(fields, func(s string) bool { return len(s) > 1 }) {
		f.doubt(key, value, "a template makes a part of it")
	}
}
