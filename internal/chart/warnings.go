package chart

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// maxWarnings bounds what one file can say.
const maxWarnings = 20

// silentChanges lists what Helm takes from data without a word although it is not
// what was written. md is what Helm makes of data, before it is sanitised. Files
// without anything suspicious are not parsed again.
func silentChanges(data []byte, md *Metadata) []string {
	var warnings []string
	repeated, more := scanLines(data)
	if repeated != "" && !isStrict(data) {
		warnings = append(warnings, fmt.Sprintf("%s: %s stands there twice: Helm reads the last one", MetadataFile, repeated))
	}
	if more && hasSecondDocument(data) {
		warnings = append(warnings, MetadataFile+": a second YAML document follows: Helm reads the first one only")
	}
	var written rawValue
	if len(misread(nil, "", nil, reflect.ValueOf(md))) == 0 || yamlv2.Unmarshal(data, &written) != nil {
		return warnings
	}
	warnings = append(warnings, misread(nil, "", &written, reflect.ValueOf(md))...)
	return warnings[:min(len(warnings), maxWarnings)]
}

// misread appends a warning for each text in read that comes from something else in
// written, which is at path in the file. A nil written may be anything.
func misread(warnings []string, path string, written *rawValue, read reflect.Value) []string {
	switch read.Kind() {
	case reflect.Pointer:
		if !read.IsNil() {
			return misread(warnings, path, written, read.Elem())
		}
	case reflect.Struct:
		for field, value := range read.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			warnings = misread(warnings, joinField(path, name), written.field(name), value)
		}
	case reflect.Map:
		texts, _ := read.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			warnings = misread(warnings, joinField(path, key), written.field(key), reflect.ValueOf(texts[key]))
		}
	case reflect.Slice:
		for i := range read.Len() {
			warnings = misread(warnings, fmt.Sprintf("%s[%d]", path, i), written.item(i), read.Index(i))
		}
	case reflect.String:
		text := read.String()
		switch {
		case !notText(text):
		case written == nil:
			return append(warnings, "")
		case written.scalar && written.text != text:
			return append(warnings, fmt.Sprintf("%s: %s: Helm reads %s as %q (write it in quotes)",
				MetadataFile, path, oneLine(cut(written.text, maxShown)), text))
		}
	}
	return warnings
}

func joinField(path, key string) string {
	if path == "" {
		return plain(key)
	}
	return path + "." + plain(key)
}

// notText reports whether s may come from a number or a boolean: Helm's YAML
// library reads those as such, and prints them again where a text is needed.
func notText(s string) bool {
	if s == "true" || s == "false" {
		return true
	}
	if s == "" || !strings.ContainsRune("+-.0123456789N", rune(s[0])) {
		return false // most texts; NaN is a number too
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// rawValue is a YAML value with its scalars as they were written.
type rawValue struct {
	text   string
	scalar bool
	list   []rawValue
	fields map[string]rawValue
}

// UnmarshalYAML keeps a scalar's text: the library hands it over unresolved to
// who asks for a string.
func (v *rawValue) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&v.text) == nil {
		v.scalar = true
		return nil
	}
	if unmarshal(&v.list) == nil {
		return nil
	}
	return unmarshal(&v.fields)
}

// item returns the i-th entry of a list, and one that is nothing where there is none.
func (v *rawValue) item(i int) *rawValue {
	if v == nil {
		return nil
	}
	if i >= len(v.list) {
		return new(rawValue)
	}
	return &v.list[i]
}

// field is item for a mapping. Like Helm it minds no case. Large mappings are none that
// Helm knows the keys of.
func (v *rawValue) field(key string) *rawValue {
	if v == nil {
		return nil
	}
	f, ok := v.fields[key]
	if !ok && len(v.fields) <= 64 {
		for k, other := range v.fields {
			if strings.EqualFold(k, key) {
				f = other
			}
		}
	}
	return &f
}

// scanLines finds a top-level key that seems to be there twice, and whether
// another document seems to follow. It looks at the lines only, so that ordinary
// files cost no second parse.
func scanLines(data []byte) (repeated string, more bool) {
	seen := make([][]byte, 0, 64)
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, []byte("---")) && len(seen) > 0 {
			return repeated, true
		}
		key, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(key) == 0 || strings.ContainsRune(" \t#-%'\"{[", rune(key[0])) {
			continue
		}
		if slices.ContainsFunc(seen, func(k []byte) bool { return bytes.Equal(k, key) }) {
			repeated = plain(string(key))
		} else if len(seen) < 64 { // Helm knows 17
			seen = append(seen, key)
		}
	}
	return repeated, false
}

// isStrict reports whether data has no duplicate keys.
func isStrict(data []byte) bool {
	var doc any
	return yamlv2.UnmarshalStrict(data, &doc) == nil
}

// EachFieldOnce reports whether no field is twice in a Chart.yaml, however it is
// written: encoding/json, and so Helm, minds no case.
func EachFieldOnce(data []byte) bool {
	var fields map[string]any
	if yaml.UnmarshalStrict(data, &fields) != nil {
		return false
	}
	seen := make(map[string]bool, len(fields))
	for key := range fields {
		key = strings.ToLower(key)
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

// hasSecondDocument reports whether anything but comments follows the first one.
func hasSecondDocument(data []byte) bool {
	var doc any
	d := yamlv2.NewDecoder(bytes.NewReader(data))
	if d.Decode(&doc) != nil {
		return false
	}
	doc = nil
	err := d.Decode(&doc)
	return err != io.EOF && (err != nil || doc != nil)
}
