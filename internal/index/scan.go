package index

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds how deep a document may nest.
const maxNesting = 1000

// scanner reads JSON, all of RFC 8259 and nothing else, from pos on. Methods tell
// whether they found what they were asked for; after a false, pos means nothing.
// What they return are parts of src, without copies: who keeps one keeps all of src.
type scanner struct {
	src string
	pos int
}

// next skips white space and is the byte behind it, 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.src); s.pos++ {
		switch c := s.src[s.pos]; c {
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
func (s *scanner) members(value func(key string) bool) bool {
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
func (s *scanner) rawString() (inside string, plain, ok bool) {
	if !s.take('"') {
		return "", false, false
	}
	start := s.pos
	ascii, escaped := true, false
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case verbatim[c]:
			s.pos++
		case c == '"':
			inside = s.src[start:s.pos]
			s.pos++
			return inside, !escaped && (ascii || utf8.ValidString(inside)), true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return "", false, false
			}
		case c < ' ':
			return "", false, false
		default:
			ascii = false
			s.pos++
		}
	}
	return "", false, false
}

// escape reads a backslash and what belongs to it.
func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.src) {
		return false
	}
	switch s.src[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		s.pos += 2
		for range 4 {
			if s.pos == len(s.src) || strings.IndexByte("0123456789abcdefABCDEF", s.src[s.pos]) < 0 {
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
		return inside, ok
	}
	return unquote(inside), true
}

// unquote is the meaning of a valid string that is not plain: escapes resolved and
// what is not UTF-8 replaced, as encoding/json does it.
func unquote(inside string) string {
	quoted := make([]byte, 0, len(inside)+2)
	quoted = append(append(append(quoted, '"'), inside...), '"')
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return inside // not reached: rawString saw that it is valid
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
		return s.members(func(string) bool { return s.skip(depth + 1) })
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
	if !strings.HasPrefix(s.src[s.pos:], word) {
		return false
	}
	s.pos += len(word)
	return true
}

func (s *scanner) number() bool {
	one := func(c byte) bool {
		if s.pos < len(s.src) && s.src[s.pos] == c {
			s.pos++
			return true
		}
		return false
	}
	digits := func() bool {
		start := s.pos
		for s.pos < len(s.src) && '0' <= s.src[s.pos] && s.src[s.pos] <= '9' {
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
