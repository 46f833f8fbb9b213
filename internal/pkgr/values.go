package pkgr

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// values refuses a values.yaml that Helm can't load, or that is more than b allows.
func (k *Checker) values(b *budget, data []byte) error {
	n, err := b.nodes(valuesFile, data)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	unfolded, known := k.verdicts.known(digest)
	if !known {
		if unfolded, err = checkValues(data); err != nil {
			return err
		}
		k.verdicts.keep(digest, unfolded)
	}
	return b.parsed(valuesFile, unfolded-n)
}

// checkValues refuses a values.yaml that Helm can't load (LoadValues in
// pkg/chart/v2/loader/load.go): each of its documents must be YAML, and a mapping
// or nothing. It returns how many values there are, with aliases followed.
func checkValues(data []byte) (n int, err error) {
	for len(data) > 0 {
		var doc []byte
		if doc, data, err = nextDocument(data); err != nil {
			return 0, err
		}
		of, err := parseDocument(doc)
		if err != nil {
			return 0, err
		}
		n += of
	}
	return n, nil
}

// nextDocument cuts the first document off, as k8s.io/apimachinery's YAMLReader
// does for Helm: at lines that start with "---", whatever YAML would make of them.
func nextDocument(data []byte) (doc, rest []byte, err error) {
	at := 0
	for line := range bytes.Lines(data) {
		next := at + len(line)
		if comment, ok := bytes.CutPrefix(line, []byte("---")); ok {
			if comment = bytes.TrimSpace(comment); len(comment) > 0 && comment[0] != '#' {
				return nil, nil, badValues("a line that starts with --- may hold only a comment besides", string(bytes.TrimSuffix(line, []byte("\n"))), nil)
			}
			if at > 0 { // a leading marker stays with what it leads
				return data[:at], data[next:], nil
			}
		}
		at = next
	}
	return data, nil, nil
}

func parseDocument(doc []byte) (n int, err error) {
	var v any
	if err := yaml.Unmarshal(doc, &v); err != nil {
		return 0, badValues("not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "", err)
	}
	switch v := v.(type) {
	case nil:
		return 0, nil
	case map[any]any:
		err := convertible("", v, &n)
		return n, err
	default:
		return 0, badValues(fmt.Sprintf("it must be a mapping of names to values, not a %s", kindOf(v)), "", nil)
	}
}

// convertible refuses what YAML can say and JSON can't: Helm converts all values
// to JSON. It counts the values in n.
func convertible(field string, v any, n *int) error {
	*n++
	switch v := v.(type) {
	case map[any]any:
		for key, value := range v {
			switch key.(type) {
			case string, int, int64, float64, bool:
			default:
				return badKey(field, key)
			}
			if err := convertible(fmt.Sprint(key), value, n); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := convertible(field, value, n); err != nil {
				return err
			}
		}
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return badValues(fmt.Sprintf("%s is %v, which JSON does not have", field, v), "", nil)
		}
	}
	return nil
}

func badKey(field string, key any) error {
	return badValues(fmt.Sprintf("a key that Helm can't use, %v, below %q", key, field), "", nil)
}

func kindOf(v any) string {
	switch v.(type) {
	case []any:
		return "list"
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	return "number"
}

func badValues(reason, value string, err error) error {
	return &chart.Error{
		Kind: chart.ErrFile, File: valuesFile, Value: value, Reason: reason, Err: err,
		Remedy: "mend it: Helm can't load the chart with it",
	}
}
