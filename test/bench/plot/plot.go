// Package plot draws small line charts with logarithmic axes side by side, as SVG
// that a browser shows on a light and on a dark page alike.
//
// It knows nothing of what the figures mean: the bench hands it panels.
package plot

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Point is one measurement: X, and Y with how far it spread. Low and High may be
// equal to Y.
type Point struct{ X, Y, Low, High float64 }

// Line is a series of points, in order of X.
type Line struct {
	Name   string
	Points []Point
}

// Panel is one chart.
type Panel struct {
	Title string
	Lines []Line
	// Format writes a value of Y.
	Format func(y float64) string
}

// Sizes in pixels of one panel and of the room in it for labels.
const (
	width, height            = 300, 240
	left, right, top, bottom = 62, 16, 40, 40
	columns                  = 3
)

// colours of the lines of a panel, in order.
func colours() []string { return []string{"#0b6bcb", "#c2410c", "#15803d"} }

// Draw writes panels as one picture. xLabel stands below each, xFormat writes a
// value of X.
func Draw(w io.Writer, panels []Panel, xLabel string, xFormat func(x float64) string) error {
	var b strings.Builder
	rows := (len(panels) + columns - 1) / columns
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", columns*width, rows*height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%columns*width, i/columns*height)
		p.draw(&b, xLabel, xFormat)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Panel) draw(b *strings.Builder, xLabel string, xFormat func(float64) string) {
	fmt.Fprintf(b, `<text x="%d" y="20" font-size="13" font-weight="bold" fill="#1f2328">%s</text>`+"\n", left, html.EscapeString(p.Title))
	xs, ys := p.axes()
	if !xs.ok() || !ys.ok() {
		return
	}
	for n, x := range xs.decades() {
		at := xs.place(x)
		fmt.Fprintf(b, `<path d="M%.1f %d V%d" stroke="#d8dee4"/><text x="%.1f" y="%d" text-anchor="%s" fill="#59636e">%s</text>`+"\n", at, top, height-bottom, at, height-bottom+15, anchor(n, len(xs.decades())), html.EscapeString(xFormat(x)))
	}
	for _, y := range ys.decades() {
		at := ys.place(y)
		fmt.Fprintf(b, `<path d="M%d %.1f H%d" stroke="#d8dee4"/><text x="%d" y="%.1f" text-anchor="end" fill="#59636e">%s</text>`+"\n", left, at, width-right, left-6, at+4, html.EscapeString(p.Format(y)))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" fill="#59636e">%s</text>`+"\n", (left+width-right)/2, height-8, html.EscapeString(xLabel))
	for i, l := range p.Lines {
		l.draw(b, xs, ys, colours()[i%len(colours())], i, p.Format, len(p.Lines) > 1)
	}
}

func (l Line) draw(b *strings.Builder, xs, ys axis, colour string, nth int, format func(float64) string, named bool) {
	var path, labels []string
	for n, pt := range l.Points {
		x, y := xs.place(pt.X), ys.place(pt.Y)
		path = append(path, fmt.Sprintf("%.1f %.1f", x, y))
		if pt.High > pt.Low && pt.Low > 0 {
			fmt.Fprintf(b, `<path d="M%.1f %.1f V%.1f" stroke="%s" stroke-width="4" stroke-opacity=".35"/>`+"\n", x, ys.place(pt.Low), ys.place(pt.High), colour)
		}
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s</title></circle>`+"\n", x, y, colour, html.EscapeString(format(pt.Y)))
		labels = append(labels, fmt.Sprintf(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" stroke="#ffffff" stroke-width="3" paint-order="stroke">%s</text>`+"\n",
			x, y+above(nth), anchor(n, len(l.Points)), colour, html.EscapeString(format(pt.Y))))
	}
	fmt.Fprintf(b, `<path d="M%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(path, " L"), colour)
	b.WriteString(strings.Join(labels, "")) // over the line
	if named {
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+8, top+14+14*nth, colour, html.EscapeString(l.Name))
	}
}

// above puts the first line's labels above its points and the next one's below.
func above(nth int) float64 {
	if nth == 0 {
		return -8
	}
	return 16
}

// anchor keeps the labels at both ends of a line within the panel.
func anchor(n, of int) string {
	switch n {
	case 0:
		return "start"
	case of - 1:
		return "end"
	}
	return "middle"
}

// axis maps a range of positive values, widened to whole decades, onto pixels.
type axis struct {
	low, high float64 // exponents of ten
	from, to  float64 // pixels
}

func (p Panel) axes() (xs, ys axis) {
	xs = axis{math.Inf(1), math.Inf(-1), left, width - right}
	ys = axis{math.Inf(1), math.Inf(-1), height - bottom, top}
	for _, l := range p.Lines {
		for _, pt := range l.Points {
			xs.hold(pt.X)
			ys.hold(pt.Y)
			ys.hold(pt.Low)
			ys.hold(pt.High)
		}
	}
	return xs, ys
}

// hold widens the axis so that it has room for v; what is not positive has no
// place on it.
func (a *axis) hold(v float64) {
	if v <= 0 {
		return
	}
	a.low = math.Min(a.low, math.Floor(math.Log10(v)+1e-9))
	a.high = math.Max(a.high, math.Ceil(math.Log10(v)-1e-9))
	if a.high == a.low {
		a.high++
	}
}

func (a axis) ok() bool { return a.high > a.low }

func (a axis) place(v float64) float64 {
	return a.from + (math.Log10(v)-a.low)/(a.high-a.low)*(a.to-a.from)
}

func (a axis) decades() []float64 {
	var all []float64
	for e := a.low; e <= a.high; e++ {
		all = append(all, math.Pow(10, e))
	}
	return all
}
