package values

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxShort  = 160   // bytes of a value on one line
	maxName   = 200   // bytes of a key in a path
	maxAnchor = 200   // bytes
	maxText   = 2_000 // bytes of a comment, a description or an example
)

// path is where a key is.
type path struct {
	dotted string // as --set takes it
	plain  string // as comments write it, without escapes
	anchor string
	listed bool // below an item of a list, which has no anchor of its own
}

// String is the path as --set takes it in a shell.
func (p path) String() string {
	for _, c := range p.dotted {
		if c >= utf8.RuneSelf || !strings.ContainsRune("._-/", c) && !isAlnum(c) {
			return "'" + strings.ReplaceAll(p.dotted, "'", `'\''`) + "'"
		}
	}
	if p.dotted == "" {
		return "''"
	}
	return p.dotted
}

var setEscapes = strings.NewReplacer(`\`, `\\`, `.`, `\.`, `,`, `\,`, `=`, `\=`, `[`, `\[`)

// child is where the key name of the object at p is.
func (p path) child(name string) path {
	shown := clean(cut(name, maxName))
	c := path{dotted: setEscapes.Replace(shown), plain: shown, anchor: "key-" + escapeID(name), listed: p.listed}
	if p.anchor != "" {
		c.dotted, c.plain, c.anchor = p.dotted+"."+c.dotted, p.plain+"."+c.plain, p.anchor+"."+escapeID(name)
	}
	if p.listed {
		c.anchor = p.anchor
	}
	if len(c.anchor) > maxAnchor {
		sum := sha256.Sum256([]byte(c.anchor))
		c.anchor = "key-~-" + hex.EncodeToString(sum[:16]) // no escape is like that
	}
	return c
}

// item is where the item i of the list at p is.
func (p path) item(i int) path {
	p.dotted += "[" + strconv.Itoa(i) + "]"
	p.listed = true
	return p
}

// escapeID writes all but letters, digits, "-" and "_" as "~" and two digits.
func escapeID(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if isAlnum(rune(c)) || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	return b.String()
}

func isAlnum(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// clean replaces what a terminal would take as a command, or is no text.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case ' ' <= c && c <= '~' || c == '\n' || c == '\t':
			return c
		case !unicode.IsGraphic(c) || unicode.Is(unicode.Bidi_Control, c):
			return utf8.RuneError
		}
		return c
	}, s)
}

// cut shortens s to at most most bytes and "…", at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// typeOf is the type of a value as Helm reads it, which is YAML 1.1: yes is a boolean.
func typeOf(n *yaml.Node) string {
	n = target(n)
	switch n.Kind {
	case yaml.MappingNode:
		return "object"
	case yaml.SequenceNode:
		return "array"
	}
	switch n.ShortTag() {
	case "!!int":
		return "integer"
	case "!!float":
		return "number"
	case "!!bool":
		return "boolean"
	case "!!null":
		return "null"
	}
	if n.Style == 0 && isOldBoolean(n.Value) {
		return "boolean"
	}
	return "string"
}

func isOldBoolean(s string) bool {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return true
	}
	return false
}

// short writes a value in YAML on one line. It stops where it has enough, however
// much there is.
func short(n *yaml.Node) string {
	s := shortener{most: maxShort}
	s.node(n)
	return s.String()
}

// shortJSON does the same for a value of a schema.
func shortJSON(v any) string {
	s := shortener{most: maxShort}
	s.value(v)
	return s.String()
}

type shortener struct {
	strings.Builder
	most int // bytes
}

func (s *shortener) String() string { return clean(cut(s.Builder.String(), s.most)) }
func (s *shortener) full() bool     { return s.Len() > s.most }

func (s *shortener) node(n *yaml.Node) {
	switch {
	case s.full():
	case n.Kind == yaml.AliasNode && target(n).Kind == yaml.ScalarNode:
		s.node(target(n))
	case n.Kind == yaml.AliasNode:
		s.WriteString("*" + cut(n.Value, s.most))
	case n.Kind == yaml.SequenceNode:
		s.list("[", "]", len(n.Content), func(i int) { s.node(n.Content[i]) })
	case n.Kind == yaml.MappingNode:
		s.list("{", "}", len(n.Content)/2, func(i int) {
			s.node(n.Content[2*i])
			s.WriteString(": ")
			s.node(n.Content[2*i+1])
		})
	case n.Style&^yaml.TaggedStyle == 0 && !strings.Contains(n.Value, "\n"):
		if n.Value == "" && typeOf(n) == "null" {
			s.WriteString("null")
			return
		}
		s.WriteString(cut(n.Value, s.most))
	default:
		s.quoted(n.Value)
	}
}

func (s *shortener) value(v any) {
	switch v := v.(type) {
	case string:
		s.quoted(v)
	case json.Number:
		s.WriteString(cut(v.String(), s.most))
	case bool:
		s.WriteString(strconv.FormatBool(v))
	case nil:
		s.WriteString("null")
	case []any:
		s.list("[", "]", len(v), func(i int) { s.value(v[i]) })
	case map[string]any:
		if len(v) > s.most {
			s.WriteString("{…}")
			return
		}
		names := slices.Sorted(maps.Keys(v))
		s.list("{", "}", len(names), func(i int) {
			s.quoted(names[i])
			s.WriteString(": ")
			s.value(v[names[i]])
		})
	}
}

func (s *shortener) list(open, end string, n int, item func(i int)) {
	s.WriteString(open)
	for i := 0; i < n && !s.full(); i++ {
		if i > 0 {
			s.WriteString(", ")
		}
		item(i)
	}
	s.WriteString(end)
}

func (s *shortener) quoted(text string) { s.WriteString(strconv.Quote(cut(text, s.most))) }
