package index

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"chartserve/internal/chart"
)

const (
	// maxKey bounds a mapping's key in its encoded form: YAML readers stop looking
	// for the colon after 1,024 characters, and the whole index with it.
	maxKey = 1000
	// maxDepth bounds how deep import-values may nest; Helm reads two levels.
	maxDepth = 64
)

// appendValue appends a value of import-values, which may be anything that JSON
// can hold.
func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, invalid("dependencies.import-values", "", fmt.Sprintf("nests deeper than %d levels", maxDepth), "")
	}
	var err error
	switch v := v.(type) {
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case []any:
		dst = append(dst, '[')
		for _, item := range v {
			if dst, err = appendValue(comma(dst), item, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		v = validKeys(v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if err := checkKey("dependencies.import-values", k); err != nil {
				return nil, err
			}
			dst = append(appendString(comma(dst), k), ':')
			if dst, err = appendValue(dst, v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case nil, float64, int, int64, uint64, json.Number:
		number, err := json.Marshal(v)
		if err != nil {
			return nil, invalid("dependencies.import-values", fmt.Sprint(v), err.Error(), "")
		}
		return append(dst, number...), nil
	}
	return nil, invalid("dependencies.import-values", fmt.Sprint(v), fmt.Sprintf("a %T has no place in JSON", v), "")
}

// comma appends the comma between two members, none before the first.
func comma(dst []byte) []byte {
	if c := dst[len(dst)-1]; c == '{' || c == '[' {
		return dst
	}
	return append(dst, ',')
}

// appendName appends the key of a member; key needs no escapes.
func appendName(dst []byte, key string) []byte {
	dst = append(comma(dst), '"')
	dst = append(dst, key...)
	return append(dst, '"', ':')
}

func appendField(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendString(appendName(dst, key), value)
}

func appendTrue(dst []byte, key string, value bool) []byte {
	if !value {
		return dst
	}
	return append(appendName(dst, key), "true"...)
}

func appendList(dst []byte, key string, values []string) []byte {
	if len(values) == 0 {
		return dst
	}
	dst = append(appendName(dst, key), '[')
	for _, v := range values {
		dst = appendString(comma(dst), v)
	}
	return append(dst, ']')
}

// validKeys is m with keys that are UTF-8. Of keys that become the same the first
// in byte order stays: a duplicate key is an error to every strict YAML reader.
func validKeys[V any](m map[string]V) map[string]V {
	valid := true
	for k := range m {
		valid = valid && utf8.ValidString(k)
	}
	if valid {
		return m
	}
	out := make(map[string]V, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, ok := out[toUTF8(k)]; !ok {
			out[toUTF8(k)] = m[k]
		}
	}
	return out
}

func checkKey(field, key string) error {
	if 6*len(key) <= maxKey {
		return nil // however it is escaped
	}
	if n := len(appendString(nil, key)); n > maxKey {
		return invalid(field, key, fmt.Sprintf("%d bytes long: YAML readers refuse a key over %d", n, maxKey), "shorten it")
	}
	return nil
}

func invalid(field, value, reason, remedy string) error {
	return &chart.Error{
		Kind: chart.ErrMetadata, File: chart.MetadataFile,
		Field: field, Value: value, Reason: reason, Remedy: remedy,
	}
}
