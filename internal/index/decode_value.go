package index

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"chartserve/internal/chart"
)

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
