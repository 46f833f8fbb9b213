package graph

import (
	"cmp"
	"slices"
)

// rank gives each node its layer: 0 to those that nothing leads to, and to the others one
// more than the last of those that lead to them. Edges that close a cycle are turned round.
func (p *plan) rank() {
	order := p.sorted()
	for _, e := range p.edges {
		if e.back {
			e.from, e.to = e.to, e.from
		}
	}
	for _, b := range p.nodes {
		b.in, b.out = nil, nil
	}
	for _, e := range p.edges {
		e.from.out = append(e.from.out, e)
		e.to.in = append(e.to.in, e)
	}
	for _, b := range order {
		for _, e := range b.in {
			b.layer = max(b.layer, e.from.layer+1)
		}
	}
}

// sorted returns the nodes so that each comes after those that lead to it, and marks the
// edges for which that can't be.
func (p *plan) sorted() []*box {
	const open, done = 1, 2
	state, order := map[*box]int{}, []*box{}
	var visit func(b *box)
	visit = func(b *box) {
		state[b] = open
		for _, e := range b.out {
			switch state[e.to] {
			case open:
				e.back = true
			case 0:
				visit(e.to)
			}
		}
		state[b] = done
		order = append(order, b)
	}
	for _, b := range p.nodes {
		if state[b] == 0 {
			visit(b)
		}
	}
	slices.Reverse(order)
	return order
}

// sweeps is how often order goes there and back: more changes little.
const sweeps = 4

// order sorts each layer so that neighbours lie at about one height: by the mean place of
// those before, and then of those after, several times.
func (p *plan) order() {
	layers := p.layers()
	for _, layer := range layers {
		settle(layer)
	}
	for range sweeps {
		for _, layer := range layers {
			arrange(layer, func(b *box) float64 {
				return mean(b, b.in, func(e *line) *box { return e.from })
			})
		}
		for _, layer := range slices.Backward(layers) {
			arrange(layer, func(b *box) float64 {
				return mean(b, b.out, func(e *line) *box { return e.to })
			})
		}
	}
}

// layers returns the nodes that have edges, by layer.
func (p *plan) layers() [][]*box {
	var layers [][]*box
	for _, b := range p.nodes {
		if b.alone() {
			continue
		}
		for len(layers) <= b.layer {
			layers = append(layers, nil)
		}
		layers[b.layer] = append(layers[b.layer], b)
	}
	for _, layer := range layers {
		slices.SortStableFunc(layer, func(a, b *box) int { return cmp.Compare(a.share, b.share) })
	}
	return layers
}

func arrange(layer []*box, place func(*box) float64) {
	places := map[*box]float64{}
	for _, b := range layer {
		places[b] = place(b)
	}
	slices.SortStableFunc(layer, func(a, b *box) int { return cmp.Compare(places[a], places[b]) })
	settle(layer)
}

func settle(layer []*box) {
	for i, b := range layer {
		b.share = (float64(i) + 0.5) / float64(len(layer))
	}
}

// mean is the mean place of the other ends of edges, or b's own where there are none.
func mean(b *box, edges []*line, end func(*line) *box) float64 {
	if len(edges) == 0 {
		return b.share
	}
	sum := 0.0
	for _, e := range edges {
		sum += end(e).share
	}
	return sum / float64(len(edges))
}
