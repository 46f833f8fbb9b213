package settings

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document returns the mapping that a file is; nil: it holds nothing but comments.
func document(data []byte) (*yaml.Node, error) {
	if at := notUTF8(data); at >= 0 {
		return nil, Error{Line: lineAt(data, at), Reason: "not UTF-8 (save the file as UTF-8)"}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	doc, more := new(yaml.Node), new(yaml.Node)
	if err := d.Decode(doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(data, err)
	}
	if err := d.Decode(more); err == nil {
		return nil, wrongAt(more, "", "a second document begins (write all settings into one, without ---)")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(data, err)
	}
	root := doc.Content[0]
	switch {
	case root.ShortTag() == "!!null":
		return nil, nil
	case root.Kind != yaml.MappingNode:
		return nil, wrongAt(root, "", "not a mapping of keys to values (write KEY: VALUE in each line, with a space behind the colon)")
	}
	return root, plain(root, "")
}

// setting reads a key and its value.
func setting(key, value *yaml.Node) (Setting, error) {
	s := Setting{Key: key.Value, Line: key.Line}
	if key.Kind != yaml.ScalarNode || key.Value == "" {
		return s, wrongAt(key, "", "a key is missing (write KEY: VALUE)")
	}
	if key.ShortTag() == "!!merge" {
		return s, wrongAt(key, key.Value, anchors)
	}
	if err := cmp.Or(plain(key, s.Key), plain(value, s.Key)); err != nil {
		return s, err
	}
	switch value.Kind {
	case yaml.MappingNode:
		return s, wrongAt(value, s.Key, "a mapping can't be there (settings are not nested)")
	case yaml.SequenceNode:
		return s.list(value)
	}
	text, kind, err := scalar(value)
	if err != nil {
		return s, wrongAt(value, s.Key, err.Error())
	}
	if s.Kind = kind; kind != Null {
		s.Values = []string{text}
	}
	return s, nil
}

func (s Setting) list(value *yaml.Node) (Setting, error) {
	for i, item := range value.Content {
		at := fmt.Sprintf("%s[%d]", s.Key, i)
		if err := plain(item, at); err != nil {
			return s, err
		}
		text, kind, err := scalar(item)
		switch {
		case item.Kind != yaml.ScalarNode:
			return s, wrongAt(item, at, "not a text (lists are not nested)")
		case err != nil:
			return s, wrongAt(item, at, err.Error())
		case kind == Null:
			return s, wrongAt(item, at, "it is empty (write a value, or take the line out)")
		case kind != String:
			return s, wrongAt(item, at, "not a text but "+string(kind)+" (write it in quotes)")
		}
		s.Values = append(s.Values, text)
	}
	if s.Kind = List; len(s.Values) == 0 {
		s.Kind = Null
	}
	return s, nil
}

// scalar returns the text of n as a flag reads it.
func scalar(n *yaml.Node) (text string, kind Kind, err error) {
	switch n.ShortTag() {
	case "!!null":
		return "", Null, nil
	case "!!bool":
		var v bool
		err = n.Decode(&v)
		return strconv.FormatBool(v), Bool, err
	case "!!int", "!!float":
		var v float64
		err = n.Decode(&v)
		return number(n, v), Number, err
	}
	switch text = strings.TrimSpace(n.Value); {
	case text == "":
		return "", Null, nil
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", "", errors.New("a line break or another control character can't be there (write it in one line)")
	}
	return text, String, nil
}

// number is n in decimal. Integers are exact.
func number(n *yaml.Node, v float64) string {
	var i int64
	if n.ShortTag() == "!!int" && n.Decode(&i) == nil {
		return strconv.FormatInt(i, 10)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

const (
	anchors = "anchors, aliases and merge keys are not taken (write the value out, in quotes if it begins with * or &)"
	tags    = "tags are not taken (leave it out, or write the value in quotes if it begins with !)"
)

// plain refuses what a node refers to, or is referred to by, and tags.
func plain(n *yaml.Node, key string) error {
	switch {
	case n.Anchor != "" || n.Kind == yaml.AliasNode:
		return wrongAt(n, key, anchors)
	case n.Style&yaml.TaggedStyle != 0:
		return wrongAt(n, key, tags)
	}
	return nil
}

func wrongAt(n *yaml.Node, key, reason string) error {
	return Error{Line: n.Line, Key: key, Reason: reason}
}

// notUTF8 is where the first byte is that is not UTF-8; -1: there is none.
func notUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }

// inError finds the line in an error of the parser, which tells none of the first line.
var inError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)`)

// indentedByTab is a line that YAML does not read, though it looks right.
var indentedByTab = regexp.MustCompile(`(?m)^ *\t+[^ \t\r\n#]`)

// syntaxError is what the parser says, with what to do.
func syntaxError(data []byte, err error) error {
	found := inError.FindStringSubmatch(err.Error())
	line, reason := 1, found[2]
	if n, err := strconv.Atoi(found[1]); err == nil {
		line = n
	}
	remedy := "write KEY: VALUE in each line, and values with special characters in quotes"
	tab := indentedByTab.FindIndex(data)
	name, alias := strings.CutPrefix(reason, "unknown anchor '")
	switch {
	case alias: // its name may be a secret that begins with *
		name, _, _ = strings.Cut(name, "'")
		return Error{Line: lineAt(data, max(0, bytes.Index(data, []byte("*"+name)))), Reason: anchors}
	case tab != nil && (strings.Contains(reason, "cannot start any token") || strings.Contains(reason, "tab")):
		line, remedy = lineAt(data, tab[0]), "indent by spaces: a tab can't do it"
	}
	return Error{Line: line, Reason: fmt.Sprintf("not YAML: %s (%s)", reason, remedy)}
}
