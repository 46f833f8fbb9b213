package chart

import (
	"strings"
)

// plainDocument reads the YAML that nearly every Chart.yaml is made of, in a
// fraction of the parser's time, and gives what the parser would: a mapping of
// texts, booleans, lists of these or of flat mappings, and flat mappings, one value
// a line. ok is false at anything else, right or wrong: then the parser must be
// asked. A fuzz test holds the two together. (Package pkgr's plainValues knows more
// YAML but makes no values of it.)
func plainDocument(data []byte) (doc map[any]any, ok bool) {
	for _, c := range data {
		if (c < ' ' || c > '~') && c != '\n' {
			return nil, false
		}
	}
	p := plainReader{rest: string(data)}
	p.next()
	if p.line == "---" && p.indent == 0 {
		p.next()
	}
	doc, ok = p.mapping(0, "", true)
	if ok && p.line == "..." && p.indent == 0 {
		p.next()
	}
	return doc, ok && p.indent < 0
}

// plainReader goes over a document line by line.
type plainReader struct {
	rest   string
	line   string // without indentation and blanks behind
	indent int    // -1 at the end
}

// next goes on to the next line that is neither blank nor a comment.
func (p *plainReader) next() {
	for p.rest != "" {
		var line string
		line, p.rest, _ = strings.Cut(p.rest, "\n")
		p.line = strings.TrimLeft(line, " ")
		p.indent = len(line) - len(p.line)
		p.line = strings.TrimRight(p.line, " ")
		if p.line != "" && p.line[0] != '#' {
			return
		}
	}
	p.line, p.indent = "", -1
}

// mapping reads the lines of a mapping at indent; first is its first line where
// that stands behind a dash. Only at the top there may be collections in it.
func (p *plainReader) mapping(indent int, first string, top bool) (map[any]any, bool) {
	m := make(map[any]any, 8)
	for first != "" || p.indent == indent && !isItem(p.line) && p.line != "..." {
		line := first
		if first == "" {
			line = p.line
			p.next()
		}
		first = ""
		key, value, ok := strings.Cut(line, ":")
		if !ok || !isPlainKey(key) || value != "" && value[0] != ' ' {
			return nil, false
		}
		if _, twice := m[key]; twice {
			return nil, false
		}
		var v any
		switch value = strings.TrimLeft(value, " "); {
		case value != "":
			v, ok = plainScalar(value)
		case !top:
			return nil, false
		case isItem(p.line) && p.indent >= indent:
			v, ok = p.list(p.indent)
		case p.indent > indent:
			v, ok = p.mapping(p.indent, "", false)
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
		m[key] = v
	}
	return m, len(m) > 0 && p.indent <= indent
}

// list reads the items of a list at indent. What is wrong behind it, the mapping
// around it finds.
func (p *plainReader) list(indent int) ([]any, bool) {
	var list []any
	for p.indent == indent && isItem(p.line) {
		item := strings.TrimLeft(p.line[1:], " ")
		at := indent + len(p.line) - len(item)
		p.next()
		var v any
		var ok bool
		if key, _, isField := strings.Cut(item, ":"); isField && isPlainKey(key) && (len(item) == len(key)+1 || item[len(key)+1] == ' ') {
			v, ok = p.mapping(at, item, false)
		} else {
			v, ok = plainScalar(item)
		}
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

func isItem(line string) bool { return strings.HasPrefix(line, "- ") }

// isPlainKey tells whether s is a key that is beyond doubt a text.
func isPlainKey(s string) bool {
	if len(s) > 128 || s == "" || !isASCIILetter(s[0]) || isYAMLWord(s) {
		return false
	}
	for _, c := range []byte(s) {
		if !isASCIILetter(c) && !('0' <= c && c <= '9') && c != '-' && c != '.' && c != '/' && c != '_' {
			return false
		}
	}
	return true
}

// plainScalar gives the value of a scalar that is the rest of its line.
func plainScalar(s string) (any, bool) {
	switch c := s[0]; {
	case s == "true":
		return true, true
	case s == "false":
		return false, true
	case c == '"' || c == '\'':
		n := len(s) - 1
		if n < 1 || s[n] != c || strings.IndexByte(s[1:n], c) >= 0 || c == '"' && strings.IndexByte(s, '\\') >= 0 {
			return nil, false
		}
		return s[1:n], true
	case isASCIILetter(c):
		if isYAMLWord(s) {
			return nil, false
		}
	case '0' <= c && c <= '9':
		// With two dots and no colon it is no number and no time.
		if strings.Count(s, ".") < 2 {
			return nil, false
		}
	default:
		return nil, false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") || s[len(s)-1] == ':' {
		return nil, false
	}
	return s, s[0] > '9' || strings.IndexByte(s, ':') < 0
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isYAMLWord tells whether s is one of the words that YAML does not take as text.
func isYAMLWord(s string) bool {
	if len(s) > len("false") {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}
