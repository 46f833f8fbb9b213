package values

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartserve/internal/chart"
)

const (
	maxSteps    = 500_000 // of reading a schema, for all keys together
	maxNesting  = 50      // of allOf and $ref in one rule
	maxListed   = 50      // entries of an enum, and of types
	maxPointers = 64      // parts of a $ref
)

// schema is a values.schema.json. Nothing in it is known to have the type that it
// should have.
type schema struct {
	root  any
	steps int // that may still be taken
}

// rule is what a schema says of a value, with references followed and allOf laid
// together.
type rule struct {
	Rule
	types      []string
	properties []map[string]any // a key's schema is in the first that has it
	additional any              // the schema of keys that no properties has
	required   map[string]bool
	refs       []string
}

// readSchema returns an empty schema, and why, where data can't be read.
func readSchema(data []byte) (s *schema, problem string) {
	s = &schema{steps: maxSteps}
	if len(bytes.TrimSpace(data)) == 0 {
		return s, ""
	}
	if n := chart.Nodes(data); n > maxNodes {
		return s, fmt.Sprintf("%s: it may have %d values, at most %d are read", schemaFile, n, maxNodes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&s.root); err != nil {
		return &schema{}, fmt.Sprintf("%s: not valid JSON: %s", schemaFile, clean(cut(err.Error(), maxShort)))
	}
	return s, ""
}

// rule reads one schema, which may be anything.
func (s *schema) rule(raw any) *rule {
	r := new(rule)
	s.lay(r, raw, 0)
	return r
}

// lay adds what raw says and r does not have yet: what refers counts before what is
// referred to.
func (s *schema) lay(r *rule, raw any, depth int) {
	m, ok := raw.(map[string]any)
	if !ok || depth > maxNesting || s.steps <= 0 {
		return
	}
	s.steps--
	r.texts(m)
	s.members(r, m)
	if ref, ok := m["$ref"].(string); ok && !slices.Contains(r.refs, ref) {
		r.refs = append(r.refs, ref)
		s.lay(r, s.at(ref), depth+1)
	}
	all, _ := m["allOf"].([]any)
	for _, part := range all {
		s.lay(r, part, depth+1)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		parts, _ := m[word].([]any)
		for _, part := range parts[:min(len(parts), maxListed)] {
			if part, ok := part.(map[string]any); ok && m["type"] == nil {
				r.addTypes(part["type"])
			}
		}
	}
}

// members adds what m says of the keys in an object.
func (s *schema) members(r *rule, m map[string]any) {
	if properties, ok := m["properties"].(map[string]any); ok && len(properties) > 0 {
		s.steps -= len(properties)
		r.properties = append(r.properties, properties)
	}
	if r.additional == nil {
		r.additional, _ = m["additionalProperties"].(map[string]any)
	}
	required, _ := m["required"].([]any)
	s.steps -= len(required)
	for _, name := range required {
		if name, ok := name.(string); ok {
			if r.required == nil {
				r.required = map[string]bool{}
			}
			r.required[name] = true
		}
	}
}

// property is the schema of a key in the object.
func (r *rule) property(name string) any {
	for _, properties := range r.properties {
		if raw, ok := properties[name]; ok {
			return raw
		}
	}
	return r.additional
}

// texts adds what m says of the value itself.
func (r *rule) texts(m map[string]any) {
	set := func(field *string, word string) {
		if s, ok := m[word].(string); ok && *field == "" {
			*field = clean(cut(s, maxText))
		}
	}
	set(&r.Title, "title")
	set(&r.Description, "description")
	set(&r.Pattern, "pattern")
	number := func(field *string, word string) {
		if n, ok := m[word].(json.Number); ok && *field == "" {
			*field = cut(n.String(), maxShort)
		}
	}
	number(&r.Minimum, "minimum")
	number(&r.Maximum, "maximum")
	if v, ok := m["default"]; ok && r.Default == "" {
		r.Default = shortJSON(v)
	}
	if deprecated, _ := m["deprecated"].(bool); deprecated {
		r.Deprecated = true
	}
	if enum, ok := m["enum"].([]any); ok && r.Enum == nil {
		r.addEnum(enum)
	} else if v, ok := m["const"]; ok && r.Enum == nil {
		r.addEnum([]any{v})
	}
	if len(r.types) == 0 {
		r.addTypes(m["type"])
	}
}

func (r *rule) addEnum(enum []any) {
	for i, v := range enum {
		if i == maxListed {
			r.Enum = append(r.Enum, "…")
			return
		}
		r.Enum = append(r.Enum, shortJSON(v))
	}
}

// addTypes adds the value of "type", a name or a list of names.
func (r *rule) addTypes(raw any) {
	list, ok := raw.([]any)
	if !ok {
		list = []any{raw}
	}
	for _, v := range list {
		if name, ok := v.(string); ok && len(r.types) < maxListed {
			if name = clean(cut(name, maxName)); !slices.Contains(r.types, name) {
				r.types = append(r.types, name)
			}
		}
	}
}

// at is what a reference within the file refers to (RFC 6901), or nil.
func (s *schema) at(ref string) any {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	pointer, err := url.PathUnescape(pointer)
	if err != nil || strings.Count(pointer, "/") > maxPointers {
		return nil
	}
	if pointer == "" {
		return s.root
	}
	parts := strings.Split(pointer, "/")
	if parts[0] != "" {
		return nil
	}
	at := s.root
	for _, part := range parts[1:] {
		switch in := at.(type) {
		case map[string]any:
			at = in[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		case []any:
			i, err := strconv.ParseUint(part, 10, 31)
			if err != nil || int(i) >= len(in) {
				return nil
			}
			at = in[i]
		default:
			return nil
		}
	}
	return at
}

// size is how many bytes the texts of r have.
func (r *Rule) size() int {
	n := len(r.Title) + len(r.Description) + len(r.Default) + len(r.Pattern) + len(r.Minimum) + len(r.Maximum)
	for _, v := range r.Enum {
		n += len(v)
	}
	return n
}
