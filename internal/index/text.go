package index

import (
	"bytes"
	"io"
)

// Text is a text in parts. The next one has the parts that did not change in
// common with it, so that a large text costs no more to change than a small one.
// It is immutable; the zero value is empty.
type Text struct {
	parts [][]byte
	size  int
}

// NewText is the text of parts, which belong to it from then on.
func NewText(parts ...[]byte) Text {
	t := Text{parts: parts}
	for _, p := range parts {
		t.size += len(p)
	}
	return t
}

// Len is the size in bytes.
func (t Text) Len() int { return t.size }

// Parts are what the text consists of, in sequence. Nobody may change them.
func (t Text) Parts() [][]byte { return t.parts }

// Bytes is the text in one piece, which is a copy.
func (t Text) Bytes() []byte { return bytes.Join(t.parts, nil) }

func (t Text) String() string { return string(t.Bytes()) }

// WriteTo writes the text to w.
func (t Text) WriteTo(w io.Writer) (n int64, err error) {
	for _, p := range t.parts {
		m, err := w.Write(p)
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
