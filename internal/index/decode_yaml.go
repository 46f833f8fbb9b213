package index

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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

// toJSON turns an index that is YAML into JSON, as sigs.k8s.io/yaml does it, which Helm
// uses. (A number where text belongs, such as appVersion: 1.10, is an error there too;
// the library mends that only outside of embedded structs.) That library writes out
// every alias: a few kilobytes can make terabytes.
func toJSON(data []byte) ([]byte, error) {
	if len(data) > MaxYAML {
		return nil, tooLarge("an index of %d bytes as YAML, at most %d are read", len(data), MaxYAML)
	}
	if n := chart.Nodes(data); n > maxNodes {
		return nil, tooLarge("an index of %d YAML values, at most %d are read", n, maxNodes)
	}
	var top map[any]any
	if err := yaml.Unmarshal(data, &top); err != nil {
		return nil, notYAMLIndex(err)
	}
	// Without aliases the parts can't be larger than the whole.
	c := converter{budget: len(data) + 1<<20}
	doc := map[string]any{}
	for _, m := range members(top) { // Helm takes the fields in any capitals
		var err error
		switch {
		case strings.EqualFold(m.key, "apiVersion"):
			doc[m.key], _ = keyText(m.value)
		case strings.EqualFold(m.key, "generated"):
			doc[m.key], _ = m.value.(string)
		case strings.EqualFold(m.key, "entries"), strings.EqualFold(m.key, "serverInfo"):
			doc[m.key], err = c.value(m.value, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(doc)
}

// converter turns decoded YAML into what JSON can have.
type converter struct {
	budget int // how much more it may unfold to: texts in bytes, all else counted as one
}

// value returns v with the keys and numbers that JSON can have; other keys are left out.
func (c *converter) value(v any, depth int) (_ any, err error) {
	if c.budget--; c.budget < 0 || depth > maxNesting {
		return nil, &chart.Error{Kind: chart.ErrLimit, Reason: "the index unfolds to much more than its size", Remedy: "write its YAML aliases out"}
	}
	switch v := v.(type) {
	case string:
		c.budget -= len(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v), nil
		}
	case []any:
		items := make([]any, len(v)) // what an alias stands for is turned more than once
		for i, item := range v {
			if items[i], err = c.value(item, depth+1); err != nil {
				return nil, err
			}
		}
		return items, nil
	case map[any]any:
		m := make(map[string]any, len(v))
		for _, of := range members(v) { // of two keys that are one in JSON the last counts
			c.budget -= len(of.key)
			if m[of.key], err = c.value(of.value, depth+1); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return v, nil
}

type member struct {
	key, kind string
	value     any
}

// members returns those of m whose keys JSON can have, in an order that depends on
// nothing but them.
func members(m map[any]any) []member {
	list := make([]member, 0, len(m))
	for k, v := range m {
		if key, ok := keyText(k); ok {
			list = append(list, member{key, fmt.Sprintf("%T", k), v})
		}
	}
	slices.SortFunc(list, func(a, b member) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.kind, b.kind)) })
	return list
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
		text := strconv.FormatFloat(v, 'g', -1, 32)
		return cmp.Or(map[string]string{"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}[text], text), true
	}
	return "", false
}

// notYAMLIndex words the library's error, whose text may have many lines.
func notYAMLIndex(err error) error {
	var mismatch *yaml.TypeError
	if errors.As(err, &mismatch) {
		return notIndex("not a mapping")
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	return notIndex(text)
}
