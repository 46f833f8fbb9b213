package mirror

import (
	"context"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/chart"
)

func (r *run) result() Result {
	slices.SortStableFunc(r.failures, func(a, b *chart.Error) int { return strings.Compare(a.File, b.File) })
	res := Result{Failures: r.failures}
	names := map[string]bool{}
	for _, w := range r.wants {
		if w.file == "" || w.status == statusTwice {
			continue
		}
		names[w.Name] = true
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

// list returns what a dry run prints. An archive whose size can't be had is a failure, and
// listed all the same.
func (r *run) list(ctx context.Context) ([]Item, error) {
	open := stillOpen(r.wants)
	items := make([]Item, len(open))
	var g errgroup.Group
	g.SetLimit(r.opts.Jobs)
	for i, w := range open {
		g.Go(func() error {
			items[i] = w.item()
			size, err := w.place.size(ctx)
			if err == nil {
				items[i].Size = size
				return nil
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.failures = append(r.failures, failure(w.String(), err))
			return nil
		})
	}
	_ = g.Wait()
	return items, context.Cause(ctx)
}

func (w *want) item() Item {
	i := Item{Name: w.Name, Version: w.Version, Size: -1, Source: w.place.String()}
	if i.Name == "" { // only the archive tells
		address, _, _ := strings.Cut(i.Source, "?")
		i.Name, i.Version = path.Base(address), "?"
	}
	return i
}
