package mirror

import (
	"cmp"
	"context"
	"fmt"
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
			if err != nil {
				return r.failed(w.String(), err)
			}
			items[i].Size = size
			return nil
		})
	}
	return items, cmp.Or(g.Wait(), context.Cause(ctx))
}

func (w *want) item() Item {
	i := Item{Name: w.Name, Version: w.Version, Size: -1, Source: w.place.String()}
	if i.Name == "" { // only the archive tells
		address, _, _ := strings.Cut(i.Source, "?")
		i.Name, i.Version = path.Base(address), "?"
	}
	return i
}

// unmet reports the charts that the filters name and that are in no source.
func (r *run) unmet(sources []*source, offers [][]candidate, asked []bool) error {
	var anywhere []candidate
	for i, s := range sources {
		if s.Anywhere {
			anywhere = append(anywhere, offers[i]...)
		}
	}
	told := map[chart.Pick]bool{}
	for i, s := range sources {
		if !asked[i] || s.kind == kindArchive {
			continue
		}
		offered := offers[i]
		if s.Anywhere {
			offered = anywhere
		}
		for _, p := range s.Filter.charts {
			f := Filter{charts: []chart.Pick{p}, devel: s.Filter.devel}
			if len(f.apply(offered)) > 0 || s.Anywhere && told[p] {
				continue
			}
			told[p] = s.Anywhere
			if err := r.failed("chart "+p.String(), s.unmetError(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *source) unmetError(p chart.Pick) error {
	where, needed := s.String()+" does not have it", ""
	if s.Anywhere {
		where = "no source has it"
	}
	if by := s.needs[p]; by != "" {
		needed = "; " + by + " depends on it"
	}
	return fmt.Errorf("%w: %s, with the filters as they are%s (a prerelease needs --devel, or a constraint such as >=1.0.0-0)", ErrMissing, where, needed)
}
