package index

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"chartserve/internal/chart"
)

// jsonWriter turns decoded YAML into JSON.
type jsonWriter struct {
	buf    []byte
	budget int // how much more may be written in all
}

// value appends v.
func (w *jsonWriter) value(v any, depth int) error {
	if w.budget--; w.budget < 0 || depth > maxNesting {
		return &chart.Error{Kind: chart.ErrLimit, Reason: "the index unfolds to much more than its size", Remedy: "write its YAML aliases out"}
	}
	switch v := v.(type) {
	case nil:
		w.buf = append(w.buf, "null"...)
	case string:
		w.budget -= len(v)
		w.buf = appendString(w.buf, v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("%v is no number in JSON", v)
		}
		w.buf = strconv.AppendFloat(w.buf, v, 'g', -1, 64)
	case map[any]any:
		return w.mapping(v, depth)
	case []any:
		w.buf = append(w.buf, '[')
		for _, item := range v {
			w.buf = comma(w.buf)
			if err := w.value(item, depth+1); err != nil {
				return err
			}
		}
		w.buf = append(w.buf, ']')
	default:
		s, ok := keyText(v)
		if !ok {
			return fmt.Errorf("a %T has no place in an index", v)
		}
		w.buf = append(w.buf, s...)
	}
	return nil
}

func (w *jsonWriter) mapping(m map[any]any, depth int) error {
	w.buf = append(w.buf, '{')
	for _, k := range sortedKeys(m) {
		key, ok := keyText(k)
		if !ok {
			return fmt.Errorf("a %T can't be a key in an index", k)
		}
		w.budget -= len(key)
		w.buf = append(appendString(comma(w.buf), key), ':')
		if err := w.value(m[k], depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

// sortedKeys are the keys of m in an order that depends on nothing but them.
func sortedKeys(m map[any]any) []any {
	return slices.SortedFunc(maps.Keys(m), func(a, b any) int {
		x, _ := keyText(a)
		y, _ := keyText(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(fmt.Sprintf("%T", a), fmt.Sprintf("%T", b)))
	})
}

// keyText is v as sigs.k8s.io/yaml writes it when it is a key, which is text in JSON.
func keyText(v any) (string, bool) {
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
