// Package graph draws nodes and edges as an SVG picture for a page of HTML: layers from left
// to right, what everything is made of first. It knows nothing of charts; package page says
// what the nodes are and where their links lead.
//
// The picture has no script, no style and no identifiers but graph-title and graph-desc, so
// that a strict Content-Security-Policy takes it. It draws with currentColor; a stylesheet
// finds the classes graph, graph-edge, graph-head and graph-node, and those of the Graph.
package graph

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
)

const (
	// MaxNodes and MaxEdges bound what is drawn: nobody reads a larger picture.
	MaxNodes = 500
	MaxEdges = 3000
)

// Graph is what a picture shows. Every text in it may be hostile.
type Graph struct {
	// Title names the picture for who can't see it; Desc says in a sentence what it shows.
	Title, Desc string
	Nodes       []Node
	// Edges may form cycles. Edges between a node and itself, and those with an end that
	// Nodes has not, are left out.
	Edges []Edge
}

// Node is a box with two lines of text. Of several nodes with one ID the first counts.
type Node struct {
	ID string
	// Label and Sub are the two lines, which are cut where they are long.
	Label, Sub string
	// Href is a relative URL, or one that begins with a slash. Anything else makes no link.
	Href string
	// Title is added to the whole Label and Sub in the box's tooltip, which is also what a
	// screen reader says.
	Title string
	// Class has the names of more classes, separated by blanks.
	Class string
}

// Edge is an arrow from what is taken, on the left, to what is made of it.
type Edge struct {
	From, To string
	// Label is what the line's tooltip says beside the names of its ends.
	Label string
	Class string
}

// TooLarge is the error for a graph that is not drawn.
type TooLarge struct{ Nodes, Edges int }

func (e *TooLarge) Error() string {
	return fmt.Sprintf("%d charts with %d dependencies are too many for a picture: up to %d with %d are drawn",
		e.Nodes, e.Edges, MaxNodes, MaxEdges)
}

// SVG draws g. The order of nodes and edges makes no difference: one graph has one picture.
// It is empty for a graph without nodes. The error is a *TooLarge.
func SVG(g Graph) (template.HTML, error) {
	if len(g.Nodes) > MaxNodes || len(g.Edges) > MaxEdges {
		return "", &TooLarge{len(g.Nodes), len(g.Edges)}
	}
	if len(g.Nodes) == 0 {
		return "", nil
	}
	p := newPlan(g)
	p.rank()
	p.order()
	p.place()
	p.route()
	return p.draw(g.Title, g.Desc), nil
}

// plan is a graph on its way to a picture.
type plan struct {
	nodes   []*box
	edges   []*line
	columns []column
	rows    []row
}

type box struct {
	Node
	in, out  []*line
	layer    int
	share    float64 // where in its layer it stands, from 0 to 1
	col, row int
}

// alone reports whether no edge ends at the box.
func (b *box) alone() bool { return len(b.in)+len(b.out) == 0 }

type line struct {
	Edge
	from, to *box // from is left of to
	back     bool // the arrow points from to to from: its edge closed a cycle
	lane     int  // of the gap above row(), where the line is longer than a column
	channels [2]int
}

func newPlan(g Graph) *plan {
	p, byID := &plan{}, map[string]*box{}
	for _, n := range g.Nodes {
		if byID[n.ID] == nil {
			byID[n.ID] = &box{Node: n}
			p.nodes = append(p.nodes, byID[n.ID])
		}
	}
	slices.SortFunc(p.nodes, func(a, b *box) int { return cmp.Compare(a.ID, b.ID) })
	for _, e := range g.Edges {
		if from, to := byID[e.From], byID[e.To]; from != nil && to != nil && from != to {
			p.edges = append(p.edges, &line{Edge: e, from: from, to: to})
		}
	}
	slices.SortFunc(p.edges, func(a, b *line) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Class, b.Class))
	})
	for _, e := range p.edges {
		e.from.out = append(e.from.out, e)
		e.to.in = append(e.to.in, e)
	}
	return p
}
