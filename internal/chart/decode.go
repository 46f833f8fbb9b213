package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// Bounds of what this package reads. Helm has none below 5 MiB a file.
const (
	// MaxFileSize is the most bytes that a Chart.yaml, a requirements.yaml, a lock
	// or a .helmignore may have.
	MaxFileSize = 1 << 20
	// MaxDependencies is the most entries that a list of dependencies may have.
	MaxDependencies = 10_000

	// maxExpanded bounds a document after its aliases are followed: texts in
	// bytes, everything else counted as one.
	maxExpanded = 4 * MaxFileSize
)

// decode reads the first YAML document of data into v, with the library and so
// with the quirks that Helm has (it drops a byte order mark itself). Errors are of
// the given kind and name file.
func decode(kind error, file string, data []byte, v any) error {
	if err := checkSize(kind, file, data); err != nil {
		return err
	}
	if hasAliases(data) {
		var doc any
		if err := yamlv2.Unmarshal(data, &doc); err != nil {
			e := &Error{Kind: kind, File: file}
			e.describeSyntax(err, data)
			return e
		}
		if err := checkUnfolded(kind, file, doc); err != nil {
			return err
		}
	}
	if err := yaml.Unmarshal(data, v); err != nil {
		e := &Error{Kind: kind, File: file, Err: err}
		e.describe(data)
		return e
	}
	return nil
}

func checkSize(kind error, file string, data []byte) error {
	if len(data) <= MaxFileSize {
		return nil
	}
	reason := fmt.Sprintf("%d bytes long, at most %d are read", len(data), MaxFileSize)
	return &Error{Kind: kind, File: file, Reason: reason, Err: ErrLimit}
}

// hasAliases is false where there is no anchor or no alias, so that nothing can
// unfold.
func hasAliases(data []byte) bool {
	return bytes.IndexByte(data, '&') >= 0 && bytes.IndexByte(data, '*') >= 0
}

// checkUnfolded refuses a document that is small but unfolds to something huge:
// the library bounds how many nodes aliases may make, not how many bytes.
func checkUnfolded(kind error, file string, doc any) error {
	if spend(doc, maxExpanded) >= 0 {
		return nil
	}
	return &Error{
		Kind:   kind,
		File:   file,
		Reason: fmt.Sprintf("its YAML aliases unfold to more than %d bytes", maxExpanded),
		Remedy: "write the values out",
		Err:    ErrLimit,
	}
}

// CheckUnfolded refuses a YAML document that unfolds by its aliases to more than limit:
// texts in bytes, everything else counted as one. The error is of kind ErrLimit, or that
// data is no YAML.
func CheckUnfolded(data []byte, limit int) error {
	if !hasAliases(data) {
		return nil
	}
	var doc any
	if err := yamlv2.Unmarshal(data, &doc); err != nil {
		return err
	}
	if spend(doc, limit) < 0 {
		return Refuse(ErrLimit, "", fmt.Sprintf("its YAML aliases unfold to more than %d bytes", limit), "write the values out")
	}
	return nil
}

// JSON returns the YAML document in data as JSON, as Helm converts values. The error is
// that of CheckUnfolded, or that data is none.
func JSON(data []byte, limit int) ([]byte, error) {
	if err := CheckUnfolded(data, limit); err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(data)
}

// spend takes the size of a decoded document off budget and stops below zero.
func spend(doc any, budget int) int {
	budget--
	switch doc := doc.(type) {
	case string:
		budget -= len(doc)
	case []any:
		for _, v := range doc {
			if budget = spend(v, budget); budget < 0 {
				return budget
			}
		}
	case map[any]any:
		for k, v := range doc {
			if budget = spend(v, spend(k, budget)); budget < 0 {
				return budget
			}
		}
	}
	return budget
}

// checkFinite refuses the numbers .inf and .nan in a Chart.yaml, which Metadata
// takes as text. Helm reads the file twice, first into a struct with apiVersion
// alone (pkg/chart/loader), and fails there because JSON has no such numbers.
func checkFinite(data []byte) error {
	for _, s := range []string{".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"} {
		if bytes.Contains(data, []byte(s)) {
			return decode(ErrMetadata, MetadataFile, data, new(struct{}))
		}
	}
	return nil
}

// checkKeys refuses a document of which two keys are one in JSON, such as 1 and "1":
// which of them Helm takes is another each time. md is what Helm makes of data; only
// annotations and import-values have keys of their own.
func checkKeys(kind error, file string, data []byte, md *Metadata) error {
	free := []any{md.Annotations}
	for _, d := range md.Dependencies {
		if d != nil {
			free = append(free, d.ImportValues)
		}
	}
	var doc any
	if !hasOddKey(free) || yamlv2.Unmarshal(data, &doc) != nil {
		return nil
	}
	key, ok := keyTwice(doc)
	if !ok {
		return nil
	}
	return &Error{
		Kind: kind, File: file, Field: key,
		Reason: "it is there as a text and as a number or a boolean: Helm takes either, another one each time",
		Remedy: "write it once",
	}
}

// hasOddKey reports whether a key in v may not have been written as a text.
func hasOddKey(v any) bool {
	switch v := v.(type) {
	case map[string]string:
		return slices.ContainsFunc(slices.Collect(maps.Keys(v)), notText)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Keys(v)), notText) || slices.ContainsFunc(slices.Collect(maps.Values(v)), hasOddKey)
	case []any:
		return slices.ContainsFunc(v, hasOddKey)
	}
	return false
}

// keyTwice returns a key that JSON has once, and YAML twice.
func keyTwice(v any) (key string, ok bool) {
	var values []any
	switch v := v.(type) {
	case []any:
		values = v
	case map[any]any:
		seen := make(map[string]bool, len(v))
		for k, value := range v {
			if key = fmt.Sprint(k); seen[key] {
				return key, true
			}
			seen[key] = true
			values = append(values, value)
		}
	}
	for _, value := range values {
		if key, ok = keyTwice(value); ok {
			return key, true
		}
	}
	return "", false
}

// describe fills in what is wrong with data, given the library's error in e.Err.
// Its text names Go types and is of no use to people who write YAML.
func (e *Error) describe(data []byte) {
	var doc any
	if err := yamlv2.Unmarshal(data, &doc); err != nil {
		e.describeSyntax(err, data)
		return
	}
	var mismatch *json.UnmarshalTypeError
	var badTime *time.ParseError
	var badNumber *json.UnsupportedValueError
	switch {
	case errors.As(e.Err, &mismatch):
		e.describeMismatch(mismatch)
	case errors.As(e.Err, &badNumber):
		e.Reason, e.Remedy = ".inf and .nan are not values that Helm can read", "write them in quotes"
	case errors.As(e.Err, &badTime):
		e.Field, e.Value = "generated", badTime.Value // a Lock has the only time
		e.Reason, e.Remedy = "not a time", "write one such as 2026-01-31T12:00:00Z"
	}
}

func (e *Error) describeSyntax(err error, data []byte) {
	e.Err = err
	e.Reason = "not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")
	switch {
	case !utf8.Valid(data):
		e.Remedy = "save the file as UTF-8"
	case tabIndented(data):
		e.Remedy = "indent with spaces, not tabs"
	}
}

func tabIndented(data []byte) bool {
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("\t")) {
			return true
		}
	}
	return false
}

// describeMismatch says which kind of value was found, and which is needed.
func (e *Error) describeMismatch(m *json.UnmarshalTypeError) {
	e.Field = m.Field
	kind, remedy := m.Type.Kind(), ""
	want := kind.String()
	switch kind {
	case reflect.String:
		want = "one text"
	case reflect.Bool:
		want, remedy = "true or false", "write it without quotes"
	case reflect.Slice:
		want, remedy = "a list", "start each entry with a dash"
	case reflect.Struct, reflect.Pointer, reflect.Map:
		want, remedy = "a mapping", "write it as key: value lines"
	}
	got, _, _ := strings.Cut(m.Value, " ") // "number 3"
	switch got {
	case "object":
		got = "mapping"
	case "array":
		got = "list"
	}
	e.Reason, e.Remedy = "must be "+want+", not a "+got, remedy
}
