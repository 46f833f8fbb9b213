package graph

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// edges makes a graph of "from to" pairs, with a node for each name.
func edges(pairs ...string) Graph {
	g := Graph{Title: "Charts", Desc: "What is made of what."}
	seen := map[string]bool{}
	for _, pair := range pairs {
		names := strings.Fields(pair)
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				g.Nodes = append(g.Nodes, Node{ID: name, Label: name, Sub: "1.0.0", Href: "../chart/" + name + "/"})
			}
		}
		if len(names) == 2 {
			g.Edges = append(g.Edges, Edge{From: names[0], To: names[1], Label: "file"})
		}
	}
	return g
}

// taco is n charts that take one library, umbrellas over ten of them each, and two charts
// that have to do with none.
func taco(n, umbrellas int) Graph {
	pairs := []string{"alone-1", "alone-2"}
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("helm-toolkit chart-%03d", i))
	}
	for u := range umbrellas {
		for i := range 10 {
			pairs = append(pairs, fmt.Sprintf("chart-%03d umbrella-%d", (u*17+i*5)%n, u))
		}
	}
	return edges(pairs...)
}

func draw(t testing.TB, g Graph) string {
	t.Helper()
	svg, err := SVG(g)
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

func small() map[string]Graph {
	umbrella := []string{"common umbrella"}
	for i := range 12 {
		umbrella = append(umbrella, fmt.Sprintf("part-%d umbrella", i))
	}
	hostile := edges("a b")
	hostile.Title = `</title><script>alert(1)</script>`
	hostile.Nodes[0] = Node{ID: "a", Label: `<script>"&'` + "\x00\xff", Sub: "]]>", Href: `../x/?q="><script>`, Title: "<b>", Class: `a"b <c`}
	hostile.Nodes[1].Href = "javascript:alert(1)"
	hostile.Edges[0].Label, hostile.Edges[0].Class = "</path>", `" onload="alert(1)`
	long := edges("a b")
	long.Nodes[0].Label, long.Nodes[1].Label = strings.Repeat("wide-name-", 4), strings.Repeat("ü", maxLetter)
	cycle := edges("a b", "b c", "c a", "a a", "a d")
	cycle.Edges = append(cycle.Edges, Edge{From: "a", To: "nowhere"})
	return map[string]Graph{
		"long":     long,
		"chain":    edges("a b", "b c", "c d"),
		"diamond":  edges("a b", "a c", "b d", "c d"),
		"skip":     edges("a b", "b c", "a c"),
		"umbrella": edges(umbrella...),
		"cycle":    cycle,
		"alone":    edges("a", "b", "c", "d", "e"),
		"hostile":  hostile,
	}
}

// TestGolden: with -update the pictures are written; look at them before they are committed.
func TestGolden(t *testing.T) {
	for name, g := range small() {
		t.Run(name, func(t *testing.T) {
			got := draw(t, g)
			path := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
			wellFormed(t, got)
		})
	}
}

// TestOrder: the order in which a graph is named makes no difference.
func TestOrder(t *testing.T) {
	for name, g := range map[string]Graph{"taco": taco(78, 4), "cycle": small()["cycle"]} {
		want := draw(t, g)
		slices.Reverse(g.Nodes)
		slices.Reverse(g.Edges)
		if got := draw(t, g); got != want {
			t.Errorf("%s: another order, another picture", name)
		}
	}
}

// planned is g with all places known.
func planned(g Graph) *plan {
	p := newPlan(g)
	p.rank()
	p.order()
	p.place()
	p.route()
	return p
}

// TestShape: 78 charts of one library make a picture for a screen, not a tape.
func TestShape(t *testing.T) {
	p := planned(taco(78, 3))
	last := p.columns[len(p.columns)-1]
	if width, height := last.right(), p.rows[len(p.rows)-1].y+boxHeight; width > 1400 || height > 1600 {
		t.Errorf("%d × %d pixels, want at most 1400 × 1600", width, height)
	}
	taken := map[[2]int]string{}
	for _, b := range p.nodes {
		at := [2]int{b.col, b.row}
		if other := taken[at]; other != "" {
			t.Errorf("%s lies upon %s", b.ID, other)
		}
		taken[at] = b.ID
	}
	for _, e := range p.edges {
		if e.from.col >= e.to.col {
			t.Errorf("%s is not left of %s", e.from.ID, e.to.ID)
		}
	}
}

// TestWays: no line goes through a box, and lines of different hubs don't lie upon each other
// in one lane.
func TestWays(t *testing.T) {
	p := planned(taco(78, 4))
	for _, e := range p.edges {
		if !e.long() {
			continue
		}
		y := p.rows[e.row()].lane(e.lane)
		for i, r := range p.rows {
			if y >= r.y-2 && y <= r.y+boxHeight+2 {
				t.Errorf("%s: its lane, %d, touches row %d, %d to %d", e.name(), y, i, r.y, r.y+boxHeight)
			}
		}
		for _, o := range p.edges {
			if o.long() && o.hub() != e.hub() && o.row() == e.row() && o.lane == e.lane && o.from.col <= e.to.col && e.from.col <= o.to.col {
				t.Errorf("%s and %s share a lane", e.name(), o.name())
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	many := Graph{Nodes: make([]Node, MaxNodes+1)}
	dense := edges("a b")
	dense.Edges = make([]Edge, MaxEdges+1)
	for name, g := range map[string]Graph{"nodes": many, "edges": dense} {
		svg, err := SVG(g)
		var large *TooLarge
		if !errors.As(err, &large) || svg != "" || large.Nodes != len(g.Nodes) || large.Edges != len(g.Edges) {
			t.Errorf("%s: got %q, %v", name, svg, err)
		}
	}
	if svg, err := SVG(Graph{}); svg != "" || err != nil {
		t.Errorf("no nodes: got %q, %v", svg, err)
	}
}

// TestDense: the largest graph that is drawn, with all its edges between few layers.
func TestDense(t *testing.T) {
	wellFormed(t, draw(t, dense()))
}

func dense() Graph {
	var pairs []string
	for i := range MaxEdges {
		pairs = append(pairs, fmt.Sprintf("n%d n%d", i%MaxNodes, (i*7919+i/MaxNodes+1)%MaxNodes))
	}
	return edges(pairs...)
}

func TestLinkable(t *testing.T) {
	for href, want := range map[string]bool{
		"../chart/a/": true, "/charts/x": true, "a?b=c#d": true, "./a:b": true,
		"": false, "//host/x": false, `\\host\x`: false, `/\host`: false, "javascript:alert(1)": false,
		"JaVaScRiPt:x": false, " javascript:x": false, "java\nscript:x": false, "data:,x": false, "https://host/": false,
	} {
		if got := linkable(href); got != want {
			t.Errorf("%q: got %v, want %v", href, got, want)
		}
	}
}

// allowed are the elements of a picture, and the attributes that any has.
func allowed() (elements, attributes []string) {
	return []string{"svg", "title", "desc", "g", "a", "path", "rect", "text"},
		strings.Fields("xmlns id role aria-labelledby aria-describedby aria-hidden class width height viewBox font-size fill stroke d href x y rx")
}

// wellFormed parses a picture and returns its text. It has no element and no attribute but
// those of the template.
func wellFormed(t testing.TB, svg string) (text string) {
	t.Helper()
	elements, attributes := allowed()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains(elements, token.Name.Local) {
				t.Errorf("element %s", token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					t.Errorf("%s has attribute %s", token.Name.Local, a.Name.Local)
				}
				if a.Name.Local == "href" && !linkable(a.Value) {
					t.Errorf("link to %q", a.Value)
				}
			}
		case xml.CharData:
			text += string(token)
		case xml.Comment, xml.ProcInst, xml.Directive:
			t.Errorf("the picture has %T", token)
		}
	}
}

func FuzzSVG(f *testing.F) {
	f.Add("helm-toolkit", "0.1.0", "../chart/x/", "file", "own", "ab bc ca")
	f.Add("<script>", "]]>", "javascript:alert(1)", "\"'&", "a\" onload=\"", "aa ab ab ba")
	f.Add("\x00\xff", "\u202e", "//x", "\n", "\t", "")
	f.Fuzz(func(t *testing.T, label, sub, href, title, class, pairs string) {
		g := Graph{Title: title, Desc: label}
		for _, pair := range strings.Fields(pairs) {
			ends := []rune(pair)
			from, to := string(ends[0]), string(ends[len(ends)-1])
			for _, id := range []string{from, to} {
				g.Nodes = append(g.Nodes, Node{ID: id, Label: label + id, Sub: sub, Href: href, Title: title, Class: class})
			}
			g.Edges = append(g.Edges, Edge{From: from, To: to, Label: title, Class: class})
		}
		if len(g.Nodes) == 0 || len(g.Nodes) > MaxNodes || len(g.Edges) > MaxEdges {
			return
		}
		svg := draw(t, g)
		if text := wellFormed(t, svg); len(cut(sub)) > 0 && !strings.Contains(text, seen(cut(sub))) {
			t.Errorf("the picture lacks %q:\n%s", sub, svg)
		}
		if strings.Count(svg, "<svg") != 1 || strings.Contains(svg, "style=") && !strings.Contains(label+sub+href+title+class, "style=") {
			t.Errorf("got\n%s", svg)
		}
	})
}

// seen is text as a reader of the XML has it.
func seen(text string) string {
	return wellFormedText("<t>" + escape(text) + "</t>")
}

func wellFormedText(doc string) string {
	var t struct {
		Text string `xml:",chardata"`
	}
	if err := xml.Unmarshal([]byte(doc), &t); err != nil {
		return err.Error()
	}
	return t.Text
}

func BenchmarkSVG(b *testing.B) {
	for name, g := range map[string]Graph{"80": taco(74, 3), "500": taco(490, 7), "500 dense": dense()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				draw(b, g)
			}
		})
	}
}
