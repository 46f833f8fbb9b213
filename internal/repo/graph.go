package repo

import (
	"context"

	"chartserve/internal/resolve"
)

// graph resolves charts: it looks at the directories that resolve misses, and has the
// fetcher download what is in other repositories.
type graph struct {
	charts  *chartSet
	fetcher *fetcher
	own     resolve.Own
	// archives are the good archives of a name, in order of precedence.
	archives func(name string) []*archive
}

// all resolves the charts of the SOURCEs. The error is that of ctx.
func (g *graph) all(ctx context.Context) (map[*resolve.Chart]*resolve.Node, error) {
	in := g.input()
	for _, d := range g.charts.published() {
		in.Charts = append(in.Charts, &d.Chart)
	}
	res, err := g.settle(ctx, in, in.Charts)
	if err != nil {
		return nil, err
	}
	return res.Nodes, nil
}

// input has all but the charts of the SOURCEs. The same archive is the same pointer each
// time that it is asked for.
func (g *graph) input() resolve.Input {
	known := map[string][]*resolve.Archive{}
	return resolve.Input{
		Dirs: map[string]*resolve.Chart{}, Fetching: g.fetcher.from != nil, Own: g.own,
		Archives: func(name string) []*resolve.Archive {
			found, ok := known[name]
			if !ok {
				for _, a := range g.archives(name) {
					found = append(found, a.forOthers())
				}
				known[name] = found
			}
			return found
		},
	}
}

// settle resolves charts until nothing is missing that a look at a directory finds.
// Downloads that are missing have begun, or failed before, when it returns.
func (g *graph) settle(ctx context.Context, in resolve.Input, charts []*resolve.Chart) (*resolve.Result, error) {
	for {
		in.Fetched = g.fetcher.outcomes()
		res := resolve.Resolve(in, charts)
		for _, dir := range res.Dirs {
			in.Dirs[dir] = nil
			if d := g.charts.outside(dir); d != nil {
				in.Dirs[dir] = &d.Chart
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !g.fetcher.take(ctx, res.Wants) && len(res.Dirs) == 0 {
			g.fetcher.retain(res.Wants)
			return res, nil
		}
	}
}
