package index

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// encode returns v as one line of JSON that is the same to every YAML reader that
// Helm has had. Beyond what JSON demands it escapes what YAML takes for a line break,
// a byte order mark or a control character; nothing is written as a surrogate pair,
// which YAML refuses. Bytes that are not UTF-8 become U+FFFD.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	data := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if !bytes.ContainsFunc(data, unsafeRune) {
		return data, nil
	}
	// Beyond ASCII there are only the insides of strings.
	out := make([]byte, 0, len(data)+64)
	for _, r := range string(data) {
		if unsafeRune(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out, nil
}

// quote is encode for a string.
func quote(s string) []byte {
	data, _ := encode(s) // every string can be encoded
	return data
}

// unsafeRune reports whether r, which JSON leaves as it is, must be escaped for YAML's
// sake: DEL and C1 controls (NEL, a line break, is one), line and paragraph separators,
// the byte order mark, and what is not a character.
func unsafeRune(r rune) bool {
	return 0x7f <= r && r < 0xA0 || r == '\u2028' || r == '\u2029' || r == '\uFEFF' || r == 0xFFFE || r == 0xFFFF
}

// toUTF8 returns s with each byte that is not UTF-8 replaced by U+FFFD, as encode
// writes it.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
