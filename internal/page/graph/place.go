package graph

import (
	"cmp"
	"math"
	"slices"
)

// Sizes are in pixels, as is the text.
const (
	margin    = 8
	boxHeight = 44
	rowGap    = 14 // between two rows, without lanes
	gutter    = 28 // between two columns, without channels
	step      = 6  // from one lane or channel to the next
	fewRows   = 20 // in a layer that is not broken into several columns
	maxSlots  = 40 // side by side; more lie upon each other
)

// column is one column of boxes, and the gutter to its right.
type column struct {
	x, width, channels int
}

// row is one row of boxes, and the gap above it.
type row struct {
	y, lanes int
}

// right is where the gutter of a column begins.
func (c column) right() int { return c.x + c.width }

// channel is where a vertical of the gutter lies.
func (c column) channel(slot int) int { return c.right() + gutter/2 + slot%maxSlots*step }

// lane is where a horizontal of the gap lies.
func (r row) lane(slot int) int { return r.y - rowGap/2 - slot%maxSlots*step }

// place puts the boxes on a grid. A layer takes as many columns as it needs to be about as
// high as the others, each read from top to bottom. Boxes without edges lie below all.
func (p *plan) place() {
	layers := p.layers()
	height := 1
	for _, layer := range layers {
		height = max(height, rowsOf(len(layer)))
	}
	columns := 0
	for _, layer := range layers {
		rows := rowsOf(len(layer))
		for i, b := range layer {
			b.col, b.row = columns+i/rows, (height-min(rows, len(layer)))/2+i%rows
		}
		columns += (len(layer) + rows - 1) / rows
	}
	var alone []*box
	for _, b := range p.nodes {
		if b.alone() {
			alone = append(alone, b)
		}
	}
	if columns == 0 {
		height = 0
	}
	columns = max(columns, min(len(alone), 4))
	for i, b := range alone {
		b.col, b.row = i%columns, height+i/columns
	}
	p.columns = make([]column, columns)
	for _, b := range p.nodes {
		for len(p.rows) <= b.row {
			p.rows = append(p.rows, row{})
		}
		p.columns[b.col].width = max(p.columns[b.col].width, b.width())
	}
}

// rowsOf is into how many rows a layer of n nodes is broken.
func rowsOf(n int) int {
	most := max(fewRows, int(math.Ceil(math.Sqrt(float64(2*n)))))
	columns := (n + most - 1) / most
	return (n + columns - 1) / columns
}

// hub is the end of the line that has more lines. Lines of one hub share their ways, so that
// a node with many neighbours looks like a tree and not like a fan.
func (e *line) hub() *box {
	if len(e.to.in) > len(e.from.out) {
		return e.to
	}
	return e.from
}

// row is that of the end that is no hub, along which a long line runs.
func (e *line) row() int {
	if e.hub() == e.from {
		return e.to.row
	}
	return e.from.row
}

// long reports whether there are columns between the ends.
func (e *line) long() bool { return e.to.col-e.from.col > 1 }

// span is the part of a way that lines of one hub take, in a gap or a gutter.
type span struct {
	at     int // which row or column
	hub    *box
	lo, hi int
	lines  []*int // the slots to set
}

// spans merges what lies in one gap or gutter and is of one hub.
type spans struct {
	list []*span
	by   map[spanKey]*span
}

type spanKey struct {
	at  int
	hub *box
}

func (s *spans) add(at int, hub *box, lo, hi int, slot *int) {
	lo, hi = min(lo, hi), max(lo, hi)
	key := spanKey{at, hub}
	one := s.by[key]
	if one == nil {
		if s.by == nil {
			s.by = map[spanKey]*span{}
		}
		one = &span{at: at, hub: hub, lo: lo, hi: hi}
		s.by[key] = one
		s.list = append(s.list, one)
	}
	one.lo, one.hi = min(one.lo, lo), max(one.hi, hi)
	one.lines = append(one.lines, slot)
}

// assign gives each span the first slot that is free along all of it, and tells used how
// many slots a gap or gutter has.
func (s *spans) assign(used func(at, slots int)) {
	slices.SortStableFunc(s.list, func(a, b *span) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.lo, b.lo), cmp.Compare(b.hi, a.hi))
	})
	var ends []int // of the last span in each slot
	for i, one := range s.list {
		if i > 0 && s.list[i-1].at != one.at {
			ends = nil
		}
		slot := slices.IndexFunc(ends, func(end int) bool { return end < one.lo })
		if slot < 0 {
			slot, ends = len(ends), append(ends, 0)
		}
		ends[slot] = one.hi
		for _, line := range one.lines {
			*line = slot
		}
		used(one.at, min(len(ends), maxSlots))
	}
}

// route finds a way for each line: a lane above a row past the columns between its ends, and
// a channel in each gutter where it changes its height. Then all places are known.
func (p *plan) route() {
	var lanes, channels spans
	for _, e := range p.edges {
		if e.long() {
			lanes.add(e.row(), e.hub(), e.from.col, e.to.col, &e.lane)
		}
	}
	lanes.assign(func(at, slots int) { p.rows[at].lanes = slots })
	y := margin
	for i := range p.rows {
		if i > 0 || p.rows[i].lanes > 0 {
			y += rowGap + p.rows[i].lanes*step
		}
		p.rows[i].y = y
		y += boxHeight
	}
	for _, e := range p.edges {
		if e.straight() {
			continue
		}
		end := p.entry(e)
		if e.long() {
			end = p.rows[e.row()].lane(e.lane)
			channels.add(e.to.col-1, e.hub(), end, p.entry(e), &e.channels[1])
		}
		channels.add(e.from.col, e.hub(), p.exit(e), end, &e.channels[0])
	}
	channels.assign(func(at, slots int) { p.columns[at].channels = slots })
	x := margin
	for i := range p.columns {
		p.columns[i].x = x
		x += p.columns[i].width + gutter + p.columns[i].channels*step
	}
}

// straight reports whether the ends lie side by side and have no other lines there.
func (e *line) straight() bool {
	return !e.long() && e.from.row == e.to.row && len(e.from.out) == 1 && len(e.to.in) == 1
}

// exit and entry are the heights at which a line leaves its left end and meets its right
// one. They differ so that a line that leaves never runs into one that arrives.
func (p *plan) exit(e *line) int  { return p.rows[e.from.row].y + boxHeight/2 - port(e) }
func (p *plan) entry(e *line) int { return p.rows[e.to.row].y + boxHeight/2 + port(e) }

func port(e *line) int {
	if e.straight() {
		return 0
	}
	return 5
}
