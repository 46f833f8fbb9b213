package index

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// yaml returns the piece as block YAML. The library's writer is not used: a key such as
// << or one with U+2028 makes it write what no reader can load.
func (p *piece) yaml() []byte {
	_, records, _ := bytes.Cut(p.forms[asJSON].data, []byte("\n"))
	var versions []any
	if err := json.Unmarshal(fmt.Appendf(nil, "[%s]", bytes.TrimSuffix(records, []byte("\n]"))), &versions); err != nil {
		panic(fmt.Sprintf("index: a record that is no JSON: %v", err)) // encode wrote it
	}
	list := appendYAML(nil, versions, 4, false)
	if p.name == "" {
		return list[len("\n"):]
	}
	return fmt.Appendf(nil, "  %s:%s", scalar(p.name), list)
}

// appendYAML appends v, which came from JSON, behind a key's colon or, when inline, a
// list's dash. The keys of a mapping begin at the column; the dashes of a list that
// belongs to a key are below the key, as Helm has them.
func appendYAML(dst []byte, v any, column int, inline bool) []byte {
	begin := func(i, column int) {
		switch {
		case i == 0 && inline:
			dst = append(dst, ' ')
			return
		case i == 0:
			dst = append(dst, '\n')
		}
		dst = append(dst, strings.Repeat(" ", column)...)
	}
	switch v := v.(type) {
	case map[string]any:
		for i, key := range slices.Sorted(maps.Keys(v)) {
			begin(i, column)
			dst = append(append(dst, scalar(key)...), ':')
			dst = appendYAML(dst, v[key], column+2, false)
		}
		if len(v) > 0 {
			return dst
		}
	case []any:
		if !inline {
			column -= 2
		}
		for i, item := range v {
			begin(i, column)
			dst = appendYAML(append(dst, '-'), item, column+2, true)
		}
		if len(v) > 0 {
			return dst
		}
	}
	return append(append(append(dst, ' '), scalar(v)...), '\n')
}

// scalar returns v as YAML: without quotes ("plain" in YAML's words) where v is a text
// that no reader can take for anything else, else as JSON.
func scalar(v any) []byte {
	if s, ok := v.(string); ok && isPlain(s) {
		return []byte(s)
	}
	data, _ := encode(v) // it came from JSON
	return data
}

// What is text to every reader, of YAML 1.1 or 1.2, but for the words of isPlain.
var (
	// plainText begins with a letter, and has neither an escape nor a comment nor what
	// looks like a key.
	plainText = regexp.MustCompile(`^[A-Za-z](?::*[!-9;-\[\]-~])*(?: +[!"$-9;-\[\]-~](?::*[!-9;-\[\]-~])*)*$`)
	// plainVersion has two dots, so that it is no number.
	plainVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]*)?$`)
	// plainHex is no number either: one digit is neither e (exponent) nor b (0b, binary).
	plainHex = regexp.MustCompile(`^[0-9be]*[acdf][0-9a-f]*$`)
)

// isPlain reports whether s can be a value or key of block YAML without quotes.
func isPlain(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return false
	}
	return plainText.MatchString(s) || plainVersion.MatchString(s) || plainHex.MatchString(s)
}
