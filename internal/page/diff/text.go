package diff

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

const (
	maxBytes = 4 << 20  // of the lines in a Difference
	maxInput = 32 << 20 // bytes that are compared line by line for a Difference
	maxLines = 100_000  // of a text that is compared; the rest is not looked at
	maxLine  = 2_000    // bytes of a line
)

// Text is how a text differs from another.
type Text struct {
	Hunks []Hunk
	// Added and Removed are how many lines differ, with those that are not in Hunks.
	Added, Removed int
	// Cut is true where there is more than the Hunks have: further lines, longer ones,
	// or texts that are too large to be compared whole.
	Cut bool
}

// Shown is how many lines the Hunks have.
func (t Text) Shown() (n int) {
	for _, h := range t.Hunks {
		n += len(h.Lines)
	}
	return n
}

// Hunk is a part of two texts that differs, with up to three lines around it that do
// not.
type Hunk struct {
	// Before and After are the numbers of the first line, from 1. Where a text has no
	// line in the hunk, it is the number of the line before, which may be 0.
	Before, After int
	// BeforeLines and AfterLines are how many lines of the texts the hunk covers.
	BeforeLines, AfterLines int
	Lines                   []Line
}

// Header is the first line of the hunk in a unified diff.
func (h Hunk) Header() string {
	return fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.Before, h.BeforeLines, h.After, h.AfterLines)
}

// Op is what a line of a hunk is.
type Op string

// The first is in both texts, the others are in one.
const (
	OpContext Op = "context"
	OpAdded   Op = "added"
	OpRemoved Op = "removed"
)

// Line is a line of a hunk.
type Line struct {
	Op Op
	// Before and After are its numbers, from 1; 0 in the text that does not have it.
	Before, After int
	// Text is without its line break. Long ones are cut with "…".
	Text string
	// Open is true for a last line that has no line break.
	Open bool
}

// Sign is what the line begins with in a unified diff.
func (l Line) Sign() string {
	switch l.Op {
	case OpAdded:
		return "+"
	case OpRemoved:
		return "-"
	}
	return " "
}

// Texts compares two texts within the bounds of one Difference.
func Texts(before, after string) Text {
	left := bounds{lines: Options{}.orDefaults().Total, bytes: maxBytes, input: maxInput}
	return left.compare(before, after, left.lines)
}

// bounds is what may still be shown, and compared.
type bounds struct{ lines, bytes, input int }

// compare returns at most most lines.
func (b *bounds) compare(before, after string, most int) Text {
	if before == after {
		return Text{}
	}
	b.input -= len(before) + len(after)
	if b.lines <= 0 || b.bytes <= 0 || b.input < 0 {
		return Text{Cut: true}
	}
	before, cutBefore := head(before, maxLines)
	after, cutAfter := head(after, maxLines)
	p := parser{bounds: b, most: most}
	p.Cut = cutBefore || cutAfter
	p.unified(string(diff.Diff("", []byte(before), "", []byte(after))))
	return p.Text
}

// head returns the first lines of s.
func head(s string, lines int) (first string, cut bool) {
	at := 0
	for range lines {
		i := strings.IndexByte(s[at:], '\n')
		if i < 0 {
			return s, false
		}
		at += i + 1
	}
	return s[:at], at < len(s)
}

// parser reads the unified diff that the library writes.
type parser struct {
	*bounds
	Text
	most          int
	before, after int // the numbers of the next lines
}

func (p *parser) unified(text string) {
	header := 3 // lines, with the names of the files
	for line := range strings.Lines(text) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case header > 0:
			header--
		case line[0] == '@':
			p.hunk(line)
		case line[0] == '\\':
			p.open()
		default:
			p.line(line[0], line[1:])
		}
	}
}

func (p *parser) hunk(line string) {
	var h Hunk
	_, _ = fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &h.Before, &h.BeforeLines, &h.After, &h.AfterLines) // it has this form
	p.before, p.after = h.Before, h.After
	if !p.full() {
		h.BeforeLines, h.AfterLines = 0, 0 // line counts them
		p.Hunks = append(p.Hunks, h)
	}
}

// full reports whether no line may be added.
func (p *parser) full() bool { return p.most <= 0 || p.lines <= 0 || p.bytes <= 0 }

func (p *parser) line(sign byte, text string) {
	l := Line{Op: OpContext, Before: p.before, After: p.after}
	switch sign {
	case '+':
		l.Op, l.Before = OpAdded, 0
		p.Added++
	case '-':
		l.Op, l.After = OpRemoved, 0
		p.Removed++
	}
	if l.Before > 0 {
		p.before++
	}
	if l.After > 0 {
		p.after++
	}
	if p.full() {
		p.Cut = true
		return
	}
	l.Text = text
	if len(text) > maxLine {
		l.Text, p.Cut = cut(text, maxLine), true
	}
	p.most, p.lines, p.bytes = p.most-1, p.lines-1, p.bytes-len(l.Text)
	h := &p.Hunks[len(p.Hunks)-1]
	h.Lines = append(h.Lines, l)
	h.BeforeLines += min(l.Before, 1)
	h.AfterLines += min(l.After, 1)
}

// open marks the line before as one without a line break.
func (p *parser) open() {
	if p.full() && p.Cut {
		return
	}
	lines := p.Hunks[len(p.Hunks)-1].Lines
	lines[len(lines)-1].Open = true
}

// cut shortens s to at most most bytes and "…", at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
