package mirror

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

func (r *run) result() Result {
	slices.SortStableFunc(r.failures, func(a, b Failure) int { return strings.Compare(a.What, b.What) })
	res := Result{Failures: r.failures}
	names := map[string]bool{}
	for _, w := range r.wants {
		if w.file == "" {
			continue
		}
		names[w.name] = true
		res.Archives++
		switch w.status {
		case statusNew:
			res.New++
			res.Bytes += w.size
		case statusStaged:
			res.New++
		case statusThere:
			res.Unchanged++
		}
	}
	res.Charts = len(names)
	return res
}

// list is what a dry run tells.
func (r *run) list(ctx context.Context) ([]Item, error) {
	var items []Item
	for _, w := range r.wants {
		if w.status == statusOpen {
			items = append(items, Item{Name: w.name, Version: w.version, Size: -1, Source: w.place.String()})
		}
	}
	places := make([]place, 0, len(items))
	for _, w := range r.wants {
		if w.status == statusOpen {
			places = append(places, w.place)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.opts.Jobs)
	for i, p := range places {
		g.Go(func() error {
			n, err := p.size(gctx)
			if err != nil {
				return r.failed(failure(items[i].Name+" "+items[i].Version, err))
			}
			items[i].Size = n
			return nil
		})
	}
	return items, g.Wait()
}
