package index

import (
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a string that is JSON and, to every YAML reader that
// Helm has had, the same double-quoted scalar. Beyond what JSON demands it
// escapes what YAML takes for a line break, a byte order mark or a control
// character; nothing is written as a surrogate pair, which YAML refuses. Bytes
// that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if verbatim[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, rune(c))
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			start = i + size
		case unsafeRune(r):
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, r)
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// verbatim has the ASCII bytes that need no escape in JSON and YAML.
var verbatim = func() (t [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// unsafeRune reports whether r, beyond ASCII, must be escaped for YAML's sake: C1
// controls (NEL, a line break, is one), line and paragraph separators, the byte
// order mark, and what is not a character.
func unsafeRune(r rune) bool {
	return r < 0xA0 || r == '\u2028' || r == '\u2029' || r == '\uFEFF' || r == 0xFFFE || r == 0xFFFF
}

// appendEscape appends the escape that JSON and YAML share for r, which is below
// U+10000.
func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// toUTF8 is s as appendString writes it: each byte that is not UTF-8 replaced by
// U+FFFD.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
