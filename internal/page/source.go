package page

import (
	"bytes"
	"html/template"

	"chartserve/internal/page/markup"
)

// source is a text of a chart, which its template may show.
type source struct {
	name string
	data []byte
}

// shown is a source as HTML; Cut: only the beginning of it.
type shown struct {
	HTML template.HTML
	Cut  bool
}

func (s source) highlight() (out shown) {
	out.HTML, out.Cut = markup.Source(s.name, s.data)
	return out
}

// lines is how many lines of it highlight shows.
func (s source) lines() int {
	text := s.data[:min(len(s.data), markup.MaxSource)]
	n := bytes.Count(text, []byte("\n"))
	if n == 0 || len(text) == len(s.data) {
		n++ // of a line without an end
	}
	return min(n, markup.MaxSourceLines)
}
