package index

import "bytes"

// yamlWriter turns JSON of this package's making into block YAML, over 100 times as
// fast as sigs.k8s.io/yaml, with which a first index of 10,000 versions would take
// seconds. src is trusted: encode and makePieces wrote it.
type yamlWriter struct {
	src []byte
	pos int
	dst []byte
}

// appendPieceYAML appends the block YAML of one piece (see piece): the chart's name
// where the piece is the chart's first, then its versions.
func appendPieceYAML(dst, piece []byte) []byte {
	w := yamlWriter{src: piece, pos: len(","), dst: dst}
	if w.peek() == '"' {
		w.indent(2)
		w.scalar()
		w.pos += len(`:[`)
		w.dst = append(w.dst, ":\n"...)
	}
	for w.pos < len(w.src) {
		if w.peek() != '{' {
			w.pos++ // comma, line break, end of the list
			continue
		}
		w.dst = append(w.dst, "  - "...)
		w.mapping(4, true)
	}
	return w.dst
}

func (w *yamlWriter) peek() byte { return w.src[w.pos] }

// empty reports whether the object or array at pos has no members.
func (w *yamlWriter) empty() bool { return w.src[w.pos+1] == '}' || w.src[w.pos+1] == ']' }

func (w *yamlWriter) indent(n int) {
	const spaces = "                                "
	for ; n > len(spaces); n -= len(spaces) {
		w.dst = append(w.dst, spaces...)
	}
	w.dst = append(w.dst, spaces[:n]...)
}

// mapping writes the object at pos, which is not empty. inline means that its
// first key follows a dash that is already written.
func (w *yamlWriter) mapping(indent int, inline bool) {
	for w.peek() != '}' {
		w.pos++ // the brace or the comma
		if !inline {
			w.indent(indent)
		}
		inline = false
		w.scalar()
		w.dst = append(w.dst, ':')
		w.pos++
		switch c := w.peek(); {
		case c == '{' && !w.empty():
			w.dst = append(w.dst, '\n')
			w.mapping(indent+2, false)
		case c == '[' && !w.empty():
			w.dst = append(w.dst, '\n')
			w.sequence(indent, false)
		default:
			w.dst = append(w.dst, ' ')
			w.scalar()
			w.dst = append(w.dst, '\n')
		}
	}
	w.pos++
}

// sequence writes the array at pos, which is not empty, as Helm indents it: the
// dashes are below the key, not further in.
func (w *yamlWriter) sequence(indent int, inline bool) {
	for w.peek() != ']' {
		w.pos++ // the bracket or the comma
		if !inline {
			w.indent(indent)
		}
		inline = false
		w.dst = append(w.dst, "- "...)
		switch c := w.peek(); {
		case c == '{' && !w.empty():
			w.mapping(indent+2, true)
		case c == '[' && !w.empty():
			w.sequence(indent+2, true)
		default:
			w.scalar()
			w.dst = append(w.dst, '\n')
		}
	}
	w.pos++
}

// scalar writes the scalar, or the empty object or array, at pos.
func (w *yamlWriter) scalar() {
	rest := w.src[w.pos:]
	var n int
	switch rest[0] {
	case '"':
		n = stringLen(rest)
		if inside := rest[1 : n-1]; plainScalar(inside) {
			w.dst = append(w.dst, inside...)
			w.pos += n
			return
		}
	case '{', '[':
		n = 2
	default:
		n = bytes.IndexAny(rest, ",]}")
	}
	w.dst = append(w.dst, rest[:n]...)
	w.pos += n
}

// stringLen is the length, quotes included, of the JSON string that s begins with.
func stringLen(s []byte) int {
	for i := 1; ; {
		n := i + bytes.IndexByte(s[i:], '"')
		back := n
		for s[back-1] == '\\' {
			back--
		}
		if (n-back)%2 == 0 {
			return n + 1
		}
		i = n + 1
	}
}
