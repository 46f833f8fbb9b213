package values

import (
	"regexp"
	"strings"
)

// reader sorts the lines of comments into text, YAML that is commented out, and what
// is meant for the generators of documents.
type reader struct {
	text, example  []string
	kind, fallback string

	inExample bool
	indent    int  // of the example's first line
	inSchema  bool // between two lines with @schema, as helm-schema has them
}

// yamlLike is a key with a value of one word, or in quotes or brackets, or without one.
var yamlLike = regexp.MustCompile(`^(?:- )?["']?[A-Za-z_][\w./-]*["']?:(?:$|\s+(?:["'\[{|>&*].*|\S+(?:\s+#.*)?)$)`)

// proseLike is a word and a colon in a sentence's stead.
var proseLike = regexp.MustCompile(`(?i)^(?:refs?|see|see also|notes?|e\.?g\.?|i\.e\.?|examples?|defaults?|warning|caution|important|todo|fixme|https?|more info|nb|ps|usage|links?|docs?|possible values|options|allowed values):`)

func (r *reader) line(line string) {
	text := strings.TrimSpace(line)
	switch {
	case text == "@schema":
		r.inSchema = !r.inSchema
	case r.inSchema:
	case strings.HasPrefix(text, "@"):
		if fallback, ok := strings.CutPrefix(text, "@default -- "); ok {
			r.fallback = withoutTicks(strings.TrimSpace(fallback))
		}
	case text == "--" || strings.HasPrefix(text, "-- "):
		r.describe(strings.TrimSpace(text[2:]))
	case strings.Contains(text, " -- ") && namedLine.MatchString(text): // it may be about another key: source.params has it
	case isBoilerplate(text):
	case r.isExample(line, text):
		r.example = append(r.example, line)
	case text == "" && (len(r.text) == 0 || r.text[len(r.text)-1] == ""):
	default:
		r.text = append(r.text, text)
	}
}

// describe starts helm-docs' own text, which is all that counts of the comment.
func (r *reader) describe(text string) {
	r.text, r.example, r.inExample = nil, nil, false
	if m := kindPrefix.FindStringSubmatch(text); m != nil {
		r.kind, text = m[1], m[2]
	}
	r.text = append(r.text, text)
}

// withoutTicks takes off the marks that make all of a text code in Markdown.
func withoutTicks(text string) string {
	if code, ok := strings.CutPrefix(text, "`"); ok && strings.Index(code, "`") == len(code)-1 {
		return code[:len(code)-1]
	}
	return text
}

// isExample reports whether a line is YAML that is commented out: a key, and what is
// indented below it.
func (r *reader) isExample(line, text string) bool {
	in := indent(line)
	switch {
	case text == "":
		r.inExample = false
		return false
	case strings.Contains(text, ":") && yamlLike.MatchString(text) && !proseLike.MatchString(text):
		if !r.inExample || in < r.indent {
			r.indent = in
		}
		r.inExample = true
	case r.inExample:
		r.inExample = in > r.indent || strings.HasPrefix(text, "- ") || strings.ContainsAny(text[:1], "}])")
	}
	return r.inExample
}

// end ends a run of lines.
func (r *reader) end() {
	r.inExample, r.inSchema = false, false
	if n := len(r.text); n > 0 && r.text[n-1] == "" {
		r.text = r.text[:n-1]
	}
}
