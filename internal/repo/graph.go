package repo

import (
	"context"

	"chartserve/internal/resolve"
)

// graph resolves charts: it looks at the directories that resolve misses, and has the
// fetcher download what is in other repositories.
type graph struct {
	charts  *chartSet
	fetcher *fetcher // nil where nothing may be fetched
	own     resolve.Own
	// archives are the good archives of a name, in order of precedence.
	archives func(name string) []*resolve.Archive
}

// all resolves the charts of the SOURCEs. The error is that of ctx.
func (g *graph) all(ctx context.Context) (map[*resolve.Chart]*resolve.Node, error) {
	in := g.input()
	for _, l := range g.charts.published() {
		in.Charts = append(in.Charts, &l.Chart)
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
		Dirs: map[string]*resolve.Chart{}, Fetching: g.fetcher != nil, Own: g.own,
		Archives: func(name string) []*resolve.Archive {
			found, ok := known[name]
			if !ok {
				found = g.archives(name)
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
			if l := g.charts.outside(dir); l != nil {
				in.Dirs[dir] = &l.Chart
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

// archivesOf are the good archives of a name as charts are built from them: those of the
// SOURCEs, then those of the repository folder.
func archivesOf(given *archiveSet[*sourceArchive], stored *archiveSet[*storedArchive], name string) (found []*resolve.Archive) {
	for _, a := range given.named(name) {
		found = append(found, a.forOthers())
	}
	for _, a := range stored.named(name) {
		found = append(found, a.forOthers())
	}
	return found
}
