package chart

import (
	"bytes"
	"fmt"
	"io"
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
	fields := textFields(md)
	if !slices.ContainsFunc(fields, func(f textField) bool { return notText(f.value) && !asWritten(data, f) }) {
		return warnings
	}
	var written rawValue
	if yamlv2.Unmarshal(data, &written) != nil {
		return warnings
	}
	for _, f := range fields {
		if !notText(f.value) {
			continue
		}
		if len(warnings) == maxWarnings {
			break
		}
		if raw, ok := written.find(f.path); ok && raw != f.value {
			warnings = append(warnings, fmt.Sprintf("%s: %s: Helm reads %s as %q (write it in quotes)",
				MetadataFile, f.name(), oneLine(cut(raw, maxShown)), f.value))
		}
	}
	return warnings
}

// asWritten reports whether a line at the top level says just what f is, bare or in
// quotes. False where it isn't sure: most files then need no second parse.
func asWritten(data []byte, f textField) bool {
	if len(f.path) != 1 {
		return false
	}
	found := false
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(f.path[0]))
		if !ok || len(rest) == 0 || rest[0] != ':' {
			continue
		}
		v := bytes.TrimSpace(rest[1:])
		if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
			v = v[1 : n-1]
		}
		if found || string(v) != f.value {
			return false
		}
		found = true
	}
	return found
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

// textField is one text of a Metadata and its place in the file.
type textField struct {
	path  []string
	value string
}

func (f textField) name() string {
	var b strings.Builder
	for _, p := range f.path {
		switch _, err := strconv.Atoi(p); {
		case err == nil:
			b.WriteString("[" + p + "]")
		case b.Len() > 0:
			b.WriteString("." + plain(p))
		default:
			b.WriteString(plain(p))
		}
	}
	return b.String()
}

// textFields lists the texts that people do write as bare numbers or booleans.
func textFields(md *Metadata) []textField {
	fields := []textField{
		{[]string{"name"}, md.Name},
		{[]string{"version"}, md.Version},
		{[]string{"appVersion"}, md.AppVersion},
		{[]string{"kubeVersion"}, md.KubeVersion},
		{[]string{"description"}, md.Description},
		{[]string{"condition"}, md.Condition},
		{[]string{"tags"}, md.Tags},
	}
	for i, s := range md.Keywords {
		fields = append(fields, textField{[]string{"keywords", strconv.Itoa(i)}, s})
	}
	for i, m := range md.Maintainers {
		if m != nil {
			fields = append(fields, textField{[]string{"maintainers", strconv.Itoa(i), "name"}, m.Name})
		}
	}
	start := len(fields)
	for k, s := range md.Annotations {
		fields = append(fields, textField{[]string{"annotations", k}, s})
	}
	slices.SortFunc(fields[start:], func(a, b textField) int { return strings.Compare(a.path[1], b.path[1]) })
	for i, d := range md.Dependencies {
		if d == nil {
			continue
		}
		at := func(key string) []string { return []string{"dependencies", strconv.Itoa(i), key} }
		fields = append(fields, textField{at("name"), d.Name}, textField{at("version"), d.Version}, textField{at("alias"), d.Alias})
		for j, s := range d.Tags {
			fields = append(fields, textField{append(at("tags"), strconv.Itoa(j)), s})
		}
	}
	return fields
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

func (v *rawValue) find(path []string) (text string, ok bool) {
	for _, p := range path {
		var next rawValue
		if i, err := strconv.Atoi(p); err == nil && 0 <= i && i < len(v.list) {
			next = v.list[i]
		} else if next, ok = v.field(p); !ok {
			return "", false
		}
		v = &next
	}
	return v.text, v.scalar
}

// field finds key as Helm does, who minds no case. Large mappings are none that
// Helm knows the keys of.
func (v *rawValue) field(key string) (f rawValue, ok bool) {
	if f, ok := v.fields[key]; ok || len(v.fields) > 64 {
		return f, ok
	}
	for k, f := range v.fields {
		if strings.EqualFold(k, key) {
			return f, true
		}
	}
	return f, false
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
