package pkgr

import (
	"bytes"
	"unicode/utf8"
)

// plainValues tells that data is, beyond doubt, a values.yaml that Helm loads. It
// knows the YAML that nearly all values.yaml files are made of: mappings and lists
// by indentation, scalars and flow collections that end on their line, literal and
// folded blocks, comments, document markers. At anything else, right or wrong, it
// gives up; false means that the parser must be asked.
func plainValues(data []byte) bool {
	if !plainText(data) {
		return false
	}
	p := plainParser{levels: make([]level, 0, 16)}
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
			if i > 0 && line[i-1] == '\r' {
				line = line[:i-1]
			}
		} else {
			data = nil
		}
		if !p.line(line) {
			return false
		}
	}
	return true
}

// plainText tells that data is UTF-8 without control characters, and that the
// only line breaks are LF and CR LF: YAML has others.
func plainText(data []byte) bool {
	for i := 0; i < len(data); {
		c := data[i]
		switch {
		case c >= ' ' && c < 0x7f, c == '\n', c == '\t':
			i++
		case c == '\r':
			if i++; i == len(data) || data[i] != '\n' {
				return false
			}
		case c < utf8.RuneSelf:
			return false
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r < 0xa0 || r == utf8.RuneError || r == 0x2028 || r == 0x2029 || r >= 0xfdd0 && r < 0x10000 {
				return false
			}
			i += n
		}
	}
	return true
}

// level is a collection that is not closed yet.
type level struct {
	indent int
	list   bool
}

// plainParser is fed a line at a time.
type plainParser struct {
	levels []level
	// open: the last line ended in a key or a dash, the value may follow below.
	open bool
	// ended: the document was ended by "...".
	ended bool

	// Within a literal or folded block: content is indented by more than parent;
	// by how much, the first line that is not blank tells.
	block       bool
	parent      int
	content     int // -1 until known
	widestBlank int
}

// line takes one line in and tells whether all is well so far.
func (p *plainParser) line(line []byte) bool {
	indent := 0
	for indent < len(line) && line[indent] == ' ' {
		indent++
	}
	if p.block {
		inside, ok := p.blockLine(line, indent)
		if inside || !ok {
			return ok
		}
	}
	rest := line[indent:]
	if len(rest) == 0 || rest[0] == '#' {
		return true
	}
	if indent == 0 && len(rest) >= 3 {
		switch string(rest[:3]) {
		case "---":
			p.levels, p.open, p.ended = p.levels[:0], false, false
			return blankOrComment(rest[3:])
		case "...":
			p.ended = true
			return len(p.levels) > 0 && len(bytes.TrimRight(rest[3:], " ")) == 0
		}
	}
	if p.ended || bytes.IndexByte(rest, '\t') >= 0 {
		return false
	}
	return p.structure(indent, rest)
}

// blockLine takes a line within a block; inside is false when the block is over
// and the line stands for itself.
func (p *plainParser) blockLine(line []byte, indent int) (inside, ok bool) {
	switch {
	case p.content >= 0 && indent >= p.content:
		return true, true
	case indent == len(line):
		p.widestBlank = max(p.widestBlank, indent)
		return true, true
	case line[indent] == '\t':
		return true, false
	case indent <= p.parent:
		p.block = false
		return false, true
	case p.content >= 0 || p.widestBlank > indent:
		return true, false
	}
	p.content = indent
	return true, true
}

// structure finds the collection that a line belongs to, closes deeper ones, and
// opens a new one where a value is due.
func (p *plainParser) structure(indent int, rest []byte) bool {
	dash := isDash(rest)
	if len(p.levels) == 0 {
		if indent > 0 || dash {
			return false
		}
		p.levels = append(p.levels, level{})
		return p.entry(0, rest)
	}
	for top := p.top(); top.indent > indent || top.indent == indent && top.list && !dash; top = p.top() {
		// At the same indentation the list is the value of a key: the next key
		// ends it.
		if p.levels = p.levels[:len(p.levels)-1]; len(p.levels) == 0 {
			return false
		}
		p.open = false
	}
	switch top := p.top(); {
	case top.indent < indent || dash && !top.list:
		if !p.open || len(p.levels) == maxPlainDepth {
			return false
		}
		p.levels = append(p.levels, level{indent, dash})
	}
	if dash {
		return p.item(indent, rest[1:])
	}
	return p.entry(indent, rest)
}

// maxPlainDepth is how deep collections may be nested here; the parser knows more.
const maxPlainDepth = 64

func (p *plainParser) top() level { return p.levels[len(p.levels)-1] }

func isDash(rest []byte) bool {
	return rest[0] == '-' && (len(rest) == 1 || rest[1] == ' ')
}

// item takes in what follows a dash that stands at indent.
func (p *plainParser) item(indent int, rest []byte) bool {
	spaces := leadingSpaces(rest)
	rest = rest[spaces:]
	if len(rest) == 0 || rest[0] == '#' {
		p.open = true
		return true
	}
	if isDash(rest) {
		return false
	}
	if n := keyLen(rest); n > 0 {
		if len(p.levels) == maxPlainDepth {
			return false
		}
		indent += 1 + spaces
		p.levels = append(p.levels, level{indent: indent})
		return p.entry(indent, rest)
	}
	p.open = false
	return p.value(indent, rest)
}

// entry takes in "key: value" of a mapping at indent.
func (p *plainParser) entry(indent int, rest []byte) bool {
	n := keyLen(rest)
	if n == 0 {
		return false
	}
	rest = rest[n:]
	rest = rest[leadingSpaces(rest):]
	if p.open = len(rest) == 0 || rest[0] == '#'; p.open {
		return true
	}
	return p.value(indent, rest)
}

// value takes in the value that begins on this line, of a collection at indent.
func (p *plainParser) value(indent int, v []byte) bool {
	if v[0] != '|' && v[0] != '>' {
		n := scalarLen(v, false)
		return n > 0 && blankOrComment(v[n:])
	}
	v = v[1:]
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		v = v[1:]
	}
	p.block, p.parent, p.content, p.widestBlank = true, indent, -1, 0
	return blankOrComment(v)
}

// blankOrComment tells that nothing of meaning is in the rest of a line.
func blankOrComment(rest []byte) bool {
	n := leadingSpaces(rest)
	return n == len(rest) || n > 0 && rest[n] == '#'
}

func leadingSpaces(b []byte) int {
	n := 0
	for n < len(b) && b[n] == ' ' {
		n++
	}
	return n
}
