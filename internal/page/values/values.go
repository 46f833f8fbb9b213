// Package values lists the keys of a chart's values.yaml for people who look one up:
// path, default, type, the comment beside it, and what values.schema.json says of it.
// It also compares two such files key by key.
//
// Both files are anybody's text. What is read of them is bounded, aliases are never
// unfolded, and a schema that makes no sense is ignored where it makes none. All
// texts in the result are plain: who shows them escapes them.
package values

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"chartserve/internal/chart"
)

const (
	file       = "values.yaml"
	schemaFile = "values.schema.json"

	// maxNodes is as many values as pkgr takes in a file of Helm's largest size.
	maxNodes = 5 << 20 / 20
	// maxBytes bounds the texts of a Table together.
	maxBytes = 4 << 20
)

// Options bounds what Read lists. Zero fields have the defaults.
type Options struct {
	// Keys is how many keys are listed; zero is 10,000.
	Keys int
	// Depth is how deep keys are nested that are listed; zero is 20. What is deeper is
	// part of its parent's default.
	Depth int
}

func (o Options) orDefaults() Options {
	if o.Keys <= 0 {
		o.Keys = 10_000
	}
	if o.Depth <= 0 {
		o.Depth = 20
	}
	return o
}

// Table is what Read found.
type Table struct {
	// Keys are in the order of values.yaml. Those that only the schema has come last
	// in their object, sorted.
	Keys []Key
	// More is how many keys there are besides.
	More int
	// Schema says why the schema was not read; "" where it was, or there is none.
	Schema string
}

// Key is a key of values.yaml, of values.schema.json, or of both.
type Key struct {
	// Path is the key as helm's --set takes it in a shell, such as image.tag, or
	// 'nodeSelector.kubernetes\.io/os'. Very long names in it are cut with "…".
	Path string
	// Anchor is the same for the same key, differs for all others, and can be an HTML
	// id: letters, digits, ".", "-", "_" and "~", starting with "key-".
	Anchor string
	// Level is how many objects the key is in; 0 at the top.
	Level int
	// Line is where the key is in values.yaml, from 1; 0 where only the schema has it,
	// and then there is no default.
	Line int
	// Default is the value in YAML on one line, cut with "…" where it is long, or the text
	// that a comment has in its place (@default of helm-docs). It is
	// empty for an object whose keys are listed, and where Line is 0.
	Default string
	// Types are the schema's, else the one that the comment names, else the default's:
	// string, integer, number, boolean, object, array, null, or whatever a comment has.
	Types []string
	// Comment is the text of the comments beside the key; Example is the YAML that is
	// commented out there. Both may have several lines.
	Comment, Example string

	// Schema is what values.schema.json says.
	Schema Rule
}

// Rule is what a schema says of a key. Texts are as in the schema, values in JSON on
// one line; "" and zero are for what it does not say.
type Rule struct {
	Title, Description        string
	Required, Deprecated      bool
	Enum                      []string
	Default                   string
	Pattern, Minimum, Maximum string
}

// Error says why a values.yaml has no keys to list.
type Error struct {
	Line   int // from 1; 0 where the whole file is meant
	Reason string
}

// Error is of the form values.yaml:LINE: REASON.
func (e *Error) Error() string {
	if e.Line == 0 {
		return file + ": " + e.Reason
	}
	return file + ":" + strconv.Itoa(e.Line) + ": " + e.Reason
}

// Read returns the keys of a values.yaml with what a values.schema.json says of
// them. Either may be empty. Of several YAML documents the first counts. The error is
// an *Error: the file is no YAML, no mapping, or too much.
func Read(values, schema []byte, o Options) (*Table, error) {
	root, err := parse(values)
	if err != nil {
		return nil, err
	}
	t := new(Table)
	w := &walk{Options: o.orDefaults(), table: t, text: newSource(values)}
	w.schema, t.Schema = readSchema(schema)
	w.object(root, w.schema.rule(w.schema.root), path{}, 0, nil)
	return t, nil
}

// parse returns the mapping that data is, or nil where it has no values.
func parse(data []byte) (*yaml.Node, error) {
	if n := chart.Nodes(data); n > maxNodes {
		return nil, &Error{Reason: fmt.Sprintf("it may have %d values, at most %d are listed", n, maxNodes)}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, syntaxError(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return root, nil
	case typeOf(root) == "null":
		return nil, nil
	}
	return nil, &Error{Line: root.Line, Reason: "it must be a mapping of names to values, and is of type " + typeOf(root)}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

func syntaxError(err error) *Error {
	e := &Error{Reason: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(e.Reason); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Reason = e.Reason[len(m[0]):]
	}
	e.Reason = "not valid YAML: " + clean(e.Reason)
	return e
}
