package pkgr

import "bytes"

// maxKey is how long a key may be here; YAML allows 1,024 characters.
const maxKey = 128

// keyLen is the length of the key that b begins with, its colon included; 0 when
// it doesn't begin with one that is beyond doubt: a string, or a number that is
// short enough not to surprise.
func keyLen(b []byte) int {
	n := 0
	switch c := b[0]; {
	case c == '"' || c == '\'':
		i := bytes.IndexByte(b[1:], c)
		if i < 0 || bytes.IndexByte(b[1:1+i], '\\') >= 0 {
			return 0
		}
		n = i + 2
	case isLetter(c), isDigit(c):
		for n < len(b) && (isLetter(b[n]) || isDigit(b[n]) || b[n] == '.' || b[n] == '/' || b[n] == '-') {
			n++
		}
		// "null" can't be a key, and what looks like a number may be any.
		if isNull(b[:n]) || isDigit(c) && n > 8 {
			return 0
		}
	}
	if n == 0 || n > maxKey || n >= len(b) || b[n] != ':' {
		return 0
	}
	if n+1 < len(b) && b[n+1] != ' ' {
		return 0
	}
	return n + 1
}

func isNull(b []byte) bool {
	return len(b) == 4 && (b[0] == 'n' || b[0] == 'N') && bytes.EqualFold(b, []byte("null"))
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// scalarLen is the length of the scalar or flow collection that v begins with and
// that ends on the same line; 0 when in doubt. flow tells that v stands within a
// flow collection.
func scalarLen(v []byte, flow bool) int {
	switch v[0] {
	case '"':
		return doubleQuotedLen(v)
	case '\'':
		return singleQuotedLen(v)
	case '[', '{':
		return flowLen(v, 0)
	}
	if flow {
		return flowPlainLen(v)
	}
	return plainLen(v)
}

func doubleQuotedLen(v []byte) int {
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '"':
			return i + 1
		case '\\':
			if i++; i == len(v) || bytes.IndexByte([]byte(`"\/nt`), v[i]) < 0 {
				return 0
			}
		}
	}
	return 0
}

func singleQuotedLen(v []byte) int {
	for i := 1; i < len(v); i++ {
		if v[i] != '\'' {
			continue
		}
		if i+1 == len(v) || v[i+1] != '\'' {
			return i + 1
		}
		i++
	}
	return 0
}

// plainLen is scalarLen of a scalar without quotes. It goes up to a comment or
// the end of the line; a colon in it must not make it a key.
func plainLen(v []byte) int {
	c := v[0]
	switch {
	case isLetter(c), isDigit(c), c == '/', c == '$', c == '(', c == '~', c == '^', c == ';', c >= 0x80:
	case c == '-' && len(v) > 1 && (isLetter(v[1]) || isDigit(v[1]) || v[1] == '-'):
	default:
		return 0
	}
	for i, c := range v {
		switch {
		case c == ':' && (i+1 == len(v) || v[i+1] == ' '):
			return 0
		case c == '#' && v[i-1] == ' ':
			return i - 1
		}
	}
	return len(v)
}

// maxFlowDepth is how deep flow collections may be nested here.
const maxFlowDepth = 8

// flowLen is scalarLen of a flow collection.
func flowLen(v []byte, depth int) int {
	if depth == maxFlowDepth {
		return 0
	}
	end := byte(']')
	if v[0] == '{' {
		end = '}'
	}
	i := 1 + leadingSpaces(v[1:])
	if i < len(v) && v[i] == end {
		return i + 1
	}
	for i < len(v) {
		if end == '}' {
			n := keyLen(v[i:])
			if n == 0 {
				return 0
			}
			i += n
			spaces := leadingSpaces(v[i:])
			if i += spaces; spaces == 0 || i == len(v) {
				return 0
			}
		}
		n := 0
		if v[i] == '[' || v[i] == '{' {
			n = flowLen(v[i:], depth+1)
		} else {
			n = scalarLen(v[i:], true)
		}
		if n == 0 {
			return 0
		}
		i += n
		i += leadingSpaces(v[i:])
		if i == len(v) {
			return 0
		}
		if v[i] == end {
			return i + 1
		}
		if v[i] != ',' {
			return 0
		}
		i++
		i += leadingSpaces(v[i:])
	}
	return 0
}

// flowPlainLen is scalarLen of a scalar without quotes in a flow collection. It
// goes up to a comma or a bracket.
func flowPlainLen(v []byte) int {
	if c := v[0]; !isLetter(c) && !isDigit(c) && c != '/' {
		return 0
	}
	for i, c := range v {
		switch {
		case c == ',', c == ']', c == '}':
			return i
		case !isLetter(c) && !isDigit(c) && bytes.IndexByte([]byte("./-_+ =()"), c) < 0:
			return 0
		}
	}
	return 0
}
