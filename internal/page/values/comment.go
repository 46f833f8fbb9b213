package values

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxLines is how many lines of comments are read for one key.
const maxLines = 200

// source is the text of a values.yaml. The parser keeps comments too, but hands many
// of them to the key before, and others to nobody; so they are read from the lines
// around a key.
type source struct {
	lines  []string
	params map[string]param // what comments say of keys by their path, wherever they are
}

// param is a line of readme-generator or helm-docs that names its key.
type param struct{ kind, text string }

// comment is what is said of a key.
type comment struct {
	text, example string
	kind          string // a type
	fallback      string // the default as helm-docs is told to show it
}

var (
	// paramLine is "@param PATH [MODIFIERS] TEXT" of readme-generator-for-helm.
	paramLine = regexp.MustCompile(`^@(?:param|extra)\s+(\S+)\s*(?:\[([^\]]*)\])?\s*(.*)$`)
	// namedLine is "PATH -- TEXT" of helm-docs.
	namedLine = regexp.MustCompile(`^([^\s#]+) -- (.*)$`)
	// kindPrefix is "(TYPE) TEXT" of helm-docs.
	kindPrefix = regexp.MustCompile(`^\(([\w/ -]+)\)\s*(.*)$`)
)

// isBoilerplate reports whether a line is a ruler, or one that helm create writes at
// the top.
func isBoilerplate(text string) bool {
	switch strings.TrimSuffix(text, ".") {
	case "This is a YAML-formatted file", "This is a YAML formatted file",
		"Declare variables to be passed into your templates", "Declare name/value pairs to be passed into your templates":
		return true
	}
	return strings.HasPrefix(text, "Default values for ") && strings.Count(text, " ") == 3 ||
		len(text) >= 3 && strings.Trim(text, "-=*~_#+") == ""
}

func newSource(data []byte) *source {
	s := &source{lines: strings.Split(string(data), "\n"), params: map[string]param{}}
	for i, line := range s.lines {
		line = strings.TrimSuffix(line, "\r")
		s.lines[i] = line
		if !strings.Contains(line, "@") && !strings.Contains(line, " -- ") {
			continue
		}
		if text, ok := uncomment(line); ok {
			s.param(strings.TrimSpace(text))
		}
	}
	return s
}

// param keeps text where it names a key.
func (s *source) param(text string) {
	if m := paramLine.FindStringSubmatch(text); m != nil {
		p := param{text: m[3]}
		for word := range strings.SplitSeq(m[2], ",") {
			switch word = strings.TrimSpace(word); word {
			case "string", "array", "object", "integer", "number", "boolean":
				p.kind = word
			}
		}
		s.params[m[1]] = p
	} else if m := namedLine.FindStringSubmatch(text); m != nil && m[1] != "@default" && m[1] != "@section" {
		p := param{text: m[2]}
		if m := kindPrefix.FindStringSubmatch(p.text); m != nil {
			p.kind, p.text = m[1], m[2]
		}
		s.params[m[1]] = p
	}
}

// uncomment is the text of a line that is a comment, with what it is indented by.
func uncomment(line string) (text string, ok bool) {
	text = strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(text, "#") {
		return "", false
	}
	text = strings.TrimRight(strings.TrimLeft(text, "#"), " \t")
	return strings.TrimPrefix(text, " "), true
}

// comment is what the lines around a key say of it, whose path is plain.
func (s *source) comment(key, value *yaml.Node, plain string) comment {
	var r reader
	if s.starts(key) {
		for _, line := range s.above(key) {
			r.line(line)
		}
		r.end()
		for _, line := range s.below(key, value) {
			r.line(line)
		}
	}
	r.end()
	r.text = append(r.text, s.beside(key, value)...)
	c := comment{kind: r.kind, fallback: clean(cut(r.fallback, maxShort))}
	if p, ok := s.params[plain]; ok {
		r.text = slices.Insert(r.text, 0, p.text)
		c.kind = p.kind
	}
	c.text, c.example = joined(r.text), joined(outdent(r.example))
	c.kind = clean(cut(c.kind, maxName))
	return c
}

// joined is the text of lines without empty ones at its ends.
func joined(lines []string) string {
	return clean(cut(strings.Trim(strings.Join(lines, "\n"), "\n"), maxText))
}

// outdent takes off the spaces that all lines begin with.
func outdent(lines []string) []string {
	least := maxText
	for _, line := range lines {
		least = min(least, indent(line))
	}
	for i, line := range lines {
		lines[i] = line[min(least, len(line)):]
	}
	return lines
}

// line is the line of a file, from 1; "" where there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// starts reports whether key is the first on its line, so that the lines around are its
// own.
func (s *source) starts(key *yaml.Node) bool { return indent(s.line(key.Line)) == key.Column-1 }

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// above returns the comments that end right above key. None is indented more: that is
// the end of what comes before, which may be a text.
func (s *source) above(key *yaml.Node) (texts []string) {
	for n := key.Line - 1; len(texts) < maxLines; n-- {
		text, ok := uncomment(s.line(n))
		if !ok || indent(s.line(n)) >= key.Column {
			break
		}
		texts = append(texts, text)
	}
	slices.Reverse(texts)
	return texts
}

// below returns the comments right below key that are indented more, as in what helm
// create writes for resources. The value has to be on the line of the key.
func (s *source) below(key, value *yaml.Node) (texts []string) {
	switch {
	case value.Kind == yaml.ScalarNode && value.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return nil
	case value.Kind != yaml.ScalarNode && value.Kind != yaml.AliasNode && len(value.Content) > 0:
		return nil
	}
	for n := key.Line + 1; len(texts) < maxLines; n++ {
		text, ok := uncomment(s.line(n))
		if !ok || indent(s.line(n)) < key.Column {
			break
		}
		texts = append(texts, text)
	}
	return texts
}

// beside returns the comment at the end of the line.
func (s *source) beside(key, value *yaml.Node) []string {
	text := value.LineComment
	if text == "" && value.Line > key.Line && s.starts(key) {
		line := s.line(key.Line)
		from := min(key.Column-1+len(key.Value), len(line))
		if i := strings.Index(line[from:], " #"); i >= 0 {
			text = line[from+i+1:]
		}
	}
	if text, ok := uncomment(text); ok && text != "" {
		return []string{strings.TrimPrefix(text, "-- ")}
	}
	return nil
}
