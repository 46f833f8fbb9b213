package graph

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"unicode"
)

const (
	fontSize  = 14
	subSize   = 12
	padding   = 10
	maxLetter = 28 // in a line of a box; more are cut
	corner    = 5
)

// draw writes the picture: the lines, and over them the boxes, column by column. Half a pixel
// off, lines of one pixel are sharp.
func (p *plan) draw(title, desc string) template.HTML {
	width, height := 0, 0
	for _, c := range p.columns {
		width = c.right() + margin
	}
	for _, r := range p.rows {
		height = r.y + boxHeight + margin
	}
	var w strings.Builder
	fmt.Fprintf(&w, `<svg class="graph" xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="graph-title" aria-describedby="graph-desc" width="%d" height="%d" viewBox="-.5 -.5 %[1]d %[2]d" font-size="%d">`+"\n", width, height, fontSize)
	fmt.Fprintf(&w, "<title id=\"graph-title\">%s</title><desc id=\"graph-desc\">%s</desc>\n", escape(title), escape(desc))
	w.WriteString(`<g aria-hidden="true" fill="none" stroke="currentColor">` + "\n")
	heads := map[[2]int]bool{}
	for _, e := range p.edges {
		p.drawLine(&w, e)
		p.drawHead(&w, e, heads)
	}
	w.WriteString("</g>\n")
	for _, b := range p.sortedByColumn() {
		p.drawBox(&w, b)
	}
	w.WriteString("</svg>\n")
	return template.HTML(w.String())
}

// sortedByColumn is the order in which the keyboard goes through the boxes.
func (p *plan) sortedByColumn() []*box {
	grid := make([]*box, len(p.columns)*len(p.rows))
	for _, b := range p.nodes {
		grid[b.col*len(p.rows)+b.row] = b
	}
	var list []*box
	for _, b := range grid {
		if b != nil {
			list = append(list, b)
		}
	}
	return list
}

func (p *plan) drawLine(w *strings.Builder, e *line) {
	from, to := p.columns[e.from.col], p.columns[e.to.col]
	fmt.Fprintf(w, `<path class="%s" d="M%d %d`, classes("graph-edge", e.Class), from.right(), p.exit(e))
	if !e.straight() {
		y := p.exit(e)
		if e.long() {
			lane := p.rows[e.row()].lane(e.lane)
			turn(w, from.channel(e.channels[0]), y, lane)
			turn(w, p.columns[e.to.col-1].channel(e.channels[1]), lane, p.entry(e))
		} else {
			turn(w, from.channel(e.channels[0]), y, p.entry(e))
		}
	}
	fmt.Fprintf(w, `H%d"><title>%s</title></path>`+"\n", to.x, escape(e.name()))
}

// turn goes along to the channel at x, in it from one height to another, and round both
// corners.
func turn(w *strings.Builder, x, from, to int) {
	if from == to {
		return
	}
	r := min(corner, max(from-to, to-from)/2)
	down := r
	if to < from {
		down = -r
	}
	fmt.Fprintf(w, "H%dq%d 0 %d %dV%dq0 %d %d %d", x-r, r, r, down, to-down, down, r, down)
}

// name is the line's tooltip.
func (e *line) name() string {
	from, to := e.from, e.to
	if e.back {
		from, to = to, from
	}
	text := from.Label + " → " + to.Label
	if e.Label != "" {
		text += ": " + e.Label
	}
	return text
}

// drawHead draws the tip of the arrow, once where many lines arrive.
func (p *plan) drawHead(w *strings.Builder, e *line, drawn map[[2]int]bool) {
	x, y, back := p.columns[e.to.col].x, p.entry(e), -7
	if e.back {
		x, y, back = p.columns[e.from.col].right(), p.exit(e), 7
	}
	if !drawn[[2]int{x, y}] {
		drawn[[2]int{x, y}] = true
		fmt.Fprintf(w, `<path class="graph-head" fill="currentColor" stroke="none" d="M%d %dl%d -4v8z"/>`+"\n", x, y, back)
	}
}

func (p *plan) drawBox(w *strings.Builder, b *box) {
	c, y := p.columns[b.col], p.rows[b.row].y
	tag, link := "g", ""
	if linkable(b.Href) {
		tag, link = "a", ` href="`+escape(b.Href)+`"`
	}
	fmt.Fprintf(w, `<%s class="%s"%s><title>%s</title>`, tag, classes("graph-node", b.Class), link, escape(b.name()))
	fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="transparent" stroke="currentColor"/>`, c.x, y, c.width, boxHeight)
	label := y + boxHeight/2 + 5
	if b.Sub != "" {
		label -= 9
	}
	fmt.Fprintf(w, `<text x="%d" y="%d" fill="currentColor">%s</text>`, c.x+padding, label, escape(cut(b.Label)))
	if b.Sub != "" {
		fmt.Fprintf(w, `<text class="graph-sub" x="%d" y="%d" font-size="%d" fill="currentColor">%s</text>`, c.x+padding, label+17, subSize, escape(cut(b.Sub)))
	}
	fmt.Fprintf(w, "</%s>\n", tag)
}

// name is the box's tooltip.
func (b *box) name() string {
	text := b.Label
	if b.Sub != "" {
		text += " " + b.Sub
	}
	if b.Title != "" {
		text += ": " + b.Title
	}
	return text
}

// width is what the text of the box needs. Fonts differ: it is rather too much.
func (b *box) width() int {
	return int(2*padding + max(fontSize*letters(cut(b.Label)), subSize*letters(cut(b.Sub))))
}

// letters is the length of a text in its font size.
func letters(text string) float64 {
	length := 0.0
	for _, r := range text {
		switch {
		case strings.ContainsRune("fijlrt.,:;'|!-()[]1 ", r):
			length += 0.45
		case r > unicode.MaxLatin1 || strings.ContainsRune("mwMW@%", r):
			length += 1.05
		case unicode.IsUpper(r):
			length += 0.75
		default:
			length += 0.63
		}
	}
	return length
}

// cut shortens a line of a box. The tooltip has the whole.
func cut(text string) string {
	count := 0
	last := 0 // where the last letter that fits begins
	for i := range text {
		if count++; count == maxLetter {
			last = i
		} else if count > maxLetter {
			return text[:last] + "…"
		}
	}
	return text
}

// linkable reports whether a URL leads to another page of this server.
func linkable(href string) bool {
	u, err := url.Parse(href)
	return err == nil && href != "" && u.Scheme == "" && u.Host == "" && !strings.HasPrefix(href, "//") && !strings.Contains(href, `\`)
}

func classes(own, more string) string {
	return escape(strings.Join(append([]string{own}, strings.Fields(more)...), " "))
}

func escape(text string) string {
	var w strings.Builder
	_ = xml.EscapeText(&w, []byte(text)) // a Builder takes everything
	return w.String()
}
