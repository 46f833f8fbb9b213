package pkgr

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// values refuses a values.yaml that a Helm can't load, or that is more than b allows.
// One with warnings is parsed each time.
func (k *Checker) values(b *budget, data []byte) (warnings []string, err error) {
	n, err := b.nodes(valuesFile, data)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	unfolded, known := k.verdicts.known(digest)
	if !known {
		v, err := checkValues(data)
		if err != nil {
			return nil, err
		}
		unfolded, warnings = v.nodes, v.warnings
		if len(warnings) == 0 {
			k.verdicts.keep(digest, unfolded)
		}
	}
	return warnings, b.parsed(valuesFile, unfolded-n)
}

// checkedValues is about a values.yaml that every Helm loads.
type checkedValues struct {
	nodes    int      // how many values there are, with aliases followed
	warnings []string // what not every Helm reads in the same way
}

// checkValues refuses a values.yaml that a Helm can't load. Helm 4 reads every document
// (LoadValues in pkg/chart/v2/loader/load.go): each must be YAML, and a mapping or
// nothing, with a line break at the end, which it adds. Helm 3 parses the whole file
// as one, and takes what comes first.
func checkValues(data []byte) (*checkedValues, error) {
	v := new(checkedValues)
	rest := data
	if len(data) > 0 && data[len(data)-1] != '\n' {
		rest = append(slices.Clip(data), '\n')
	}
	var all []map[any]any // the documents of Helm 4 that say something
	whole := true
	for len(rest) > 0 {
		text, more, err := nextDocument(rest)
		if err != nil {
			return nil, err
		}
		doc, err := v.parse(text)
		if err != nil {
			return nil, err
		}
		if whole, rest = whole && more == nil, more; len(doc) > 0 {
			all = append(all, doc)
		}
	}
	if whole {
		return v, nil
	}
	first, err := new(checkedValues).parse(data)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 || len(all) == 1 && !reflect.DeepEqual(first, all[0]) {
		v.warnings = append(v.warnings, valuesFile+": Helm 3 reads the first of its YAML documents alone, Helm 4 all of them (write one)")
	}
	return v, nil
}

// nextDocument cuts the first document off, as k8s.io/apimachinery's YAMLReader
// does for Helm: at lines that start with "---", whatever YAML would make of them. rest
// is nil where there is no such line.
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

// parse returns the first document in data.
func (c *checkedValues) parse(data []byte) (map[any]any, error) {
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		return nil, badValues("not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "), "", err)
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case map[any]any:
		return v, c.convertible("", v)
	}
	return nil, badValues(fmt.Sprintf("it must be a mapping of names to values, not a %s", kindOf(v)), "", nil)
}

// convertible refuses what YAML can say and JSON can't: Helm converts all values
// to JSON.
func (c *checkedValues) convertible(field string, v any) error {
	c.nodes++
	switch v := v.(type) {
	case map[any]any:
		for key, value := range v {
			switch key.(type) {
			case string:
			case int, int64, float64, bool:
				if _, ok := v[fmt.Sprint(key)]; ok && len(c.warnings) == 0 {
					c.warnings = append(c.warnings, fmt.Sprintf("%s: %v is there as a text and as a %s: Helm takes either, another one each time (write it once)", valuesFile, key, kindOf(key)))
				}
			default:
				return badKey(field, key)
			}
			if err := c.convertible(fmt.Sprint(key), value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := c.convertible(field, value); err != nil {
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
