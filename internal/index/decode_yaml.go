package index

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// maxNodes bounds the values in a YAML document, each of which takes some 200
// bytes to parse however short it is.
const maxNodes = 10_000_000

// yaml reads an index that is YAML. It is turned into JSON entry by entry, by the
// rules of sigs.k8s.io/yaml, which Helm uses: a number where a text belongs becomes
// text. That library turns the whole document at once, and writes out every alias:
// a few kilobytes can make terabytes.
func (d *decoder) yaml(data []byte) error {
	if len(data) > MaxYAML {
		return tooLarge("YAML", len(data), MaxYAML)
	}
	if n := nodes(data); n > maxNodes {
		return &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("an index of %d YAML values, at most %d are read", n, maxNodes)}
	}
	var doc struct {
		APIVersion any `yaml:"apiVersion"`
		Entries    any `yaml:"entries"`
		Generated  any `yaml:"generated"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return notIndex(err)
	}
	d.apiVersion, _ = scalarText(doc.APIVersion)
	d.generated, _ = doc.Generated.(string)
	entries, ok := doc.Entries.(map[any]any)
	d.hasEntries = ok
	if !ok && doc.Entries != nil {
		return fmt.Errorf("%w: entries is not a mapping", ErrIndex)
	}
	if err := d.check(); err != nil {
		return err
	}
	// Without aliases the parts can't be larger than the whole.
	w := jsonWriter{budget: len(data) + 1<<20}
	for _, key := range sortedKeys(entries) {
		name, _ := scalarText(key)
		d.charts = append(d.charts, decodedChart{name: name})
		if err := d.yamlChart(&d.charts[len(d.charts)-1], entries[key], &w); err != nil {
			return err
		}
	}
	return nil
}

// yamlChart decodes the versions of c from value. Its error is one of the whole
// document.
func (d *decoder) yamlChart(c *decodedChart, value any, w *jsonWriter) error {
	list, ok := value.([]any)
	if !ok && value != nil {
		d.skip(c, -1, errNotList)
		return nil
	}
	seen := make(map[string]bool)
	for i, v := range list {
		w.buf = w.buf[:0]
		err := w.value(v, true, 0)
		if errors.Is(err, chart.ErrLimit) {
			return err
		}
		if err != nil {
			d.skip(c, i, err)
			continue
		}
		d.add(c, &entryReader{scanner: scanner{data: w.buf}}, i, seen)
	}
	return nil
}

// notIndex words the library's error, whose text may have many lines.
func notIndex(err error) error {
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	var mismatch *yaml.TypeError
	if errors.As(err, &mismatch) {
		text = "not a mapping"
	}
	return fmt.Errorf("%w: %s", ErrIndex, text)
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

// jsonWriter turns decoded YAML into JSON.
type jsonWriter struct {
	buf    []byte
	budget int // how much more may be written in all
}

// value appends v. text: the place is one for text, numbers and truth values are
// to become text as well.
func (w *jsonWriter) value(v any, text bool, depth int) error {
	if w.budget--; w.budget < 0 || depth > maxNesting {
		return &chart.Error{Kind: chart.ErrLimit, Reason: "the index unfolds to much more than its size", Remedy: "write its YAML aliases out"}
	}
	switch v := v.(type) {
	case nil:
		w.buf = append(w.buf, "null"...)
	case string:
		w.budget -= len(v)
		w.buf = appendString(w.buf, v)
	case map[any]any:
		return w.mapping(v, text, depth)
	case []any:
		w.buf = append(w.buf, '[')
		for _, item := range v {
			w.buf = comma(w.buf)
			if err := w.value(item, text, depth+1); err != nil {
				return err
			}
		}
		w.buf = append(w.buf, ']')
	default:
		s, ok := scalarText(v)
		f, isFloat := v.(float64)
		switch {
		case !ok:
			return fmt.Errorf("a %T has no place in an index", v)
		case text:
			w.buf = appendString(w.buf, s)
		case isFloat && (math.IsInf(f, 0) || math.IsNaN(f)):
			return fmt.Errorf("%v is no number in JSON", f)
		case isFloat:
			w.buf = strconv.AppendFloat(w.buf, f, 'g', -1, 64)
		default:
			w.buf = append(w.buf, s...)
		}
	}
	return nil
}

func (w *jsonWriter) mapping(m map[any]any, text bool, depth int) error {
	w.buf = append(w.buf, '{')
	for _, k := range sortedKeys(m) {
		key, ok := scalarText(k)
		if !ok {
			return fmt.Errorf("a %T can't be a key in an index", k)
		}
		w.budget -= len(key)
		w.buf = append(appendString(comma(w.buf), key), ':')
		if err := w.value(m[k], text && !notText(key), depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

// notText tells whether what stands under key is not text throughout.
func notText(key string) bool {
	switch strings.ToLower(key) {
	case "deprecated", "enabled", "import-values":
		return true
	}
	return false
}

// sortedKeys are the keys of m in an order that depends on nothing but them.
func sortedKeys(m map[any]any) []any {
	return slices.SortedFunc(maps.Keys(m), func(a, b any) int {
		x, _ := scalarText(a)
		y, _ := scalarText(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)))
	})
}

// scalarText is v as sigs.k8s.io/yaml writes it where text belongs.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 32), true
	}
	return "", false
}
