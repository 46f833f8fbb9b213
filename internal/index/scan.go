package index

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxNesting bounds how deep a document may nest.
const maxNesting = 1000

// scanner reads JSON, all of RFC 8259 and nothing else, from pos on. Methods tell
// whether they found what they were asked for; after a false, pos means nothing.
type scanner struct {
	data []byte
	pos  int
}

// next skips white space and is the byte behind it, 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.pos++
	return true
}

// members reads an object and calls value with each key, as it stands between its
// quotes, to read the value.
func (s *scanner) members(value func(key []byte) bool) bool {
	return s.list('{', '}', func() bool {
		key, _, ok := s.rawString()
		return ok && s.take(':') && value(key)
	})
}

// items reads an array and calls item to read each element.
func (s *scanner) items(item func() bool) bool { return s.list('[', ']', item) }

func (s *scanner) list(open, end byte, item func() bool) bool {
	if !s.take(open) {
		return false
	}
	if s.take(end) {
		return true
	}
	for {
		if !item() {
			return false
		}
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// rawString reads a string and gives what stands between its quotes; plain tells
// that this is also what it means.
func (s *scanner) rawString() (inside []byte, plain, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	start := s.pos
	ascii, escaped := true, false
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case verbatim[c]:
			s.pos++
		case c == '"':
			inside = s.data[start:s.pos]
			s.pos++
			return inside, !escaped && (ascii || utf8.Valid(inside)), true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return nil, false, false
			}
		case c < ' ':
			return nil, false, false
		default:
			ascii = false
			s.pos++
		}
	}
	return nil, false, false
}

// escape reads a backslash and what belongs to it.
func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.data) {
		return false
	}
	switch s.data[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		s.pos += 2
		for range 4 {
			if s.pos == len(s.data) || bytes.IndexByte([]byte("0123456789abcdefABCDEF"), s.data[s.pos]) < 0 {
				return false
			}
			s.pos++
		}
		return true
	}
	return false
}

// text reads a string.
func (s *scanner) text() (string, bool) {
	inside, plain, ok := s.rawString()
	if !ok || plain {
		return string(inside), ok
	}
	return unquote(inside), true
}

// unquote is the meaning of a valid string that is not plain: escapes resolved and
// what is not UTF-8 replaced, as encoding/json does it.
func unquote(inside []byte) string {
	quoted := make([]byte, 0, len(inside)+2)
	quoted = append(append(append(quoted, '"'), inside...), '"')
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return string(inside) // not reached: rawString saw that it is valid
	}
	return text
}

// skip reads any value.
func (s *scanner) skip(depth int) bool {
	if depth > maxNesting {
		return false
	}
	switch c := s.next(); {
	case c == '{':
		return s.members(func([]byte) bool { return s.skip(depth + 1) })
	case c == '[':
		return s.items(func() bool { return s.skip(depth + 1) })
	case c == '"':
		_, _, ok := s.rawString()
		return ok
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.number()
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) number() bool {
	one := func(c byte) bool {
		if s.pos < len(s.data) && s.data[s.pos] == c {
			s.pos++
			return true
		}
		return false
	}
	digits := func() bool {
		start := s.pos
		for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
			s.pos++
		}
		return s.pos > start
	}
	one('-')
	if !one('0') && !digits() {
		return false
	}
	if one('.') && !digits() {
		return false
	}
	if one('e') || one('E') {
		_ = one('+') || one('-')
		return digits()
	}
	return true
}
