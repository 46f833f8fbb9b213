package page

import (
	"cmp"
	"errors"
	"html/template"
	"slices"
	"strings"

	"chartserve/internal/page/graph"
	"chartserve/internal/repo"
)

// picture is a graph of charts, drawn; or why it is not.
type picture struct {
	SVG     template.HTML
	Problem string
}

// drawing collects what a picture shows.
type drawing struct {
	frame Frame
	view  *repo.View
	graph graph.Graph
	seen  map[string]bool // the IDs of nodes
}

func newDrawing(f Frame, v *repo.View, title, desc string) *drawing {
	return &drawing{frame: f, view: v, graph: graph.Graph{Title: title, Desc: desc}, seen: map[string]bool{}}
}

// chart adds a chart with all that it is built from, however far down. Charts are nodes by
// their names: the versions are the newest ones, or those that were taken.
func (d *drawing) chart(c *repo.Chart, class string) {
	if !d.node(c.Name, c.Versions[0].Entry.Version, class) {
		return
	}
	for _, i := range d.view.Ingredients(c.Versions[0]) {
		if len(d.graph.Edges) > graph.MaxEdges {
			return
		}
		label := string(i.Way)
		if i.Alias != "" {
			label += ", as " + i.Alias
		}
		d.graph.Edges = append(d.graph.Edges, graph.Edge{From: i.Name, To: c.Name, Label: label, Class: "way-" + string(i.Way)})
		if other := d.view.Chart(i.Name); other != nil {
			d.chart(other, "")
		} else {
			d.node(i.Name, i.Version, "outside")
		}
	}
}

// node adds a node, and reports whether it is a new one.
func (d *drawing) node(name, version, class string) bool {
	if d.seen[name] || len(d.graph.Nodes) > graph.MaxNodes {
		return false
	}
	d.seen[name] = true
	n := graph.Node{ID: name, Label: name, Sub: version, Class: class}
	if d.view.Chart(name) != nil {
		n.Href = d.frame.ChartURL(name) + "graph/"
	}
	d.graph.Nodes = append(d.graph.Nodes, n)
	return true
}

func (d *drawing) draw() picture {
	svg, err := graph.SVG(d.graph)
	large := new(graph.TooLarge)
	if errors.As(err, &large) {
		return picture{Problem: large.Error()}
	}
	return picture{SVG: svg}
}

// chartGraph is what a chart is built from and what is built from it.
type chartGraph struct {
	Subject
	Picture     picture
	Ingredients []repo.Ingredient
	Dependents  []repo.Dependent
	Rebuilds    []repo.ChartVersion
}

// ChartGraph is the page of a chart's place in the graph, whose newest version is s's.
func ChartGraph(s Subject) Page {
	s.Tab, s.Title = "graph", s.Chart.Name+": graph"
	v, name := s.View, s.Chart.Name
	g := chartGraph{Subject: s, Ingredients: v.Ingredients(s.Version), Dependents: v.Dependents(name), Rebuilds: v.Rebuilds(name)}
	d := newDrawing(s.Frame, v, "The graph around "+name, "What "+name+" is built from is on the left, what is built from it on the right.")
	d.chart(s.Chart, "here")
	for _, other := range g.Dependents {
		if d.node(other.Chart.Name, other.Chart.Version, "") || other.Chart.Name != name {
			d.graph.Edges = append(d.graph.Edges, graph.Edge{From: name, To: other.Chart.Name, Label: string(other.As.Way), Class: "way-" + string(other.As.Way)})
		}
	}
	if len(d.graph.Nodes) > 1 {
		g.Picture = d.draw()
	}
	return Page{"chartgraph", g}
}

// wholeGraph is what all charts are built from.
type wholeGraph struct {
	Frame
	Picture picture
	Charts  []graphRow
	Alone   int // charts that are built from none and none from them
	More    int // charts that Charts leaves out
}

// maxGraphRows bounds the table beside the picture.
const maxGraphRows = 1000

type graphRow struct {
	Name, Version string
	Ingredients   []repo.Ingredient
	Dependents    int
}

// Graph is the page of the graph of the whole repository.
func Graph(f Frame, v *repo.View) Page {
	f.Title, f.Here = "Graph", "graph"
	g := wholeGraph{Frame: f}
	d := newDrawing(f, v, "The graph of the repository", "What charts are built from is on the left, what is built from it on the right.")
	for c := range v.Charts() {
		newest := c.Versions[0]
		row := graphRow{Name: c.Name, Version: newest.Entry.Version, Ingredients: v.Ingredients(newest), Dependents: len(v.Dependents(c.Name))}
		if len(row.Ingredients)+row.Dependents == 0 {
			g.Alone++
			continue
		}
		g.Charts = append(g.Charts, row)
		d.chart(c, "")
	}
	slices.SortStableFunc(g.Charts, func(a, b graphRow) int {
		return cmp.Or(cmp.Compare(b.Dependents, a.Dependents), strings.Compare(a.Name, b.Name))
	})
	g.Picture = d.draw()
	g.More = max(0, len(g.Charts)-maxGraphRows)
	g.Charts = g.Charts[:len(g.Charts)-g.More]
	return Page{"graph", g}
}
