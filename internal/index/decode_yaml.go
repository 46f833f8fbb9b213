package index

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

const (
	// maxNodes bounds the values in a YAML document, each of which takes some 200
	// bytes to parse however short it is.
	maxNodes = 5_000_000
	// maxNesting bounds how deep an entry may nest.
	maxNesting = 1000
)

// fromYAML turns the entries of an index that is YAML into JSON, each by itself, as
// sigs.k8s.io/yaml does it, which Helm uses. (A number where text belongs, such as
// appVersion: 1.10, is an error there too; the library mends that only outside of
// embedded structs.) That library turns the whole document at once, and writes out
// every alias: a few kilobytes can make terabytes.
func fromYAML(data []byte) (*document, error) {
	if len(data) > MaxYAML {
		return nil, tooLarge("an index of %d bytes as YAML, at most %d are read", len(data), MaxYAML)
	}
	if n := nodes(data); n > maxNodes {
		return nil, tooLarge("an index of %d YAML values, at most %d are read", n, maxNodes)
	}
	var top struct {
		APIVersion any `yaml:"apiVersion"`
		Entries    any `yaml:"entries"`
		Generated  any `yaml:"generated"`
	}
	if err := yaml.Unmarshal(data, &top); err != nil {
		return nil, notYAMLIndex(err)
	}
	entries, ok := top.Entries.(map[any]any)
	if !ok && top.Entries != nil {
		return nil, notIndex("entries is not a mapping")
	}
	doc := &document{hasEntries: ok}
	doc.apiVersion, _ = keyText(top.APIVersion)
	doc.generated, _ = top.Generated.(string)
	// Without aliases the parts can't be larger than the whole.
	c := converter{budget: len(data) + 1<<20}
	for _, key := range sortedKeys(entries) {
		name, _ := keyText(key)
		list, ok := entries[key].([]any)
		if err := doc.start(name, !ok && entries[key] != nil); err != nil {
			return nil, err
		}
		for _, item := range list {
			data, err := c.json(item)
			if errors.Is(err, chart.ErrLimit) {
				return nil, err
			}
			if err := doc.add(data, err); err != nil {
				return nil, err
			}
		}
	}
	return doc, nil
}

// converter turns decoded YAML into JSON.
type converter struct {
	budget int // how much more it may unfold to: texts in bytes, all else counted as one
}

func (c *converter) json(v any) ([]byte, error) {
	v, err := c.value(v, 0)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// value returns v with keys that JSON can have.
func (c *converter) value(v any, depth int) (_ any, err error) {
	if c.budget--; c.budget < 0 || depth > maxNesting {
		return nil, &chart.Error{Kind: chart.ErrLimit, Reason: "the index unfolds to much more than its size", Remedy: "write its YAML aliases out"}
	}
	switch v := v.(type) {
	case string:
		c.budget -= len(v)
	case []any:
		for i, item := range v {
			if v[i], err = c.value(item, depth+1); err != nil {
				return nil, err
			}
		}
	case map[any]any:
		m := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) { // of two keys that are one in JSON the last counts
			key, ok := keyText(k)
			if !ok {
				return nil, fmt.Errorf("a %T can't be a key in an index", k)
			}
			c.budget -= len(key)
			if m[key], err = c.value(v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return v, nil
}

// sortedKeys returns the keys of m in an order that depends on nothing but them.
func sortedKeys(m map[any]any) []any {
	return slices.SortedFunc(maps.Keys(m), func(a, b any) int {
		x, _ := keyText(a)
		y, _ := keyText(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)))
	})
}

// keyText returns v as sigs.k8s.io/yaml writes it when it is a key, which is text
// in JSON.
func keyText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int, int64, uint64:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 32), true
	}
	return "", false
}

func notIndex(reason string) error { return fmt.Errorf("%w: %s", ErrIndex, reason) }

// notYAMLIndex words the library's error, whose text may have many lines.
func notYAMLIndex(err error) error {
	var mismatch *yaml.TypeError
	if errors.As(err, &mismatch) {
		return notIndex("not a mapping")
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	return notIndex(text)
}

// nodes is how many values data can have at most, by the characters that stand
// before or behind each.
func nodes(data []byte) int {
	n := 0
	for _, mark := range []string{":", ",", "[", "{", "- ", "-\n", "? "} {
		n += bytes.Count(data, []byte(mark))
	}
	return n
}
