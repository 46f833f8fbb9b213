package repo

import "chartserve/internal/store"

// shortage returns a shortage of the moment that the pass has met, such as of file
// descriptors, or nil. It says nothing of the charts and archives that could not be
// looked at: the pass ends there, what is served stays, and all is looked at again
// soon.
func (r *Repository) shortage() error {
	if r.short != nil {
		return r.short
	}
	for _, l := range r.lives {
		if store.Passing(l.Err) {
			return l.Err
		}
	}
	for _, set := range []*archiveSet{r.given, r.stored} {
		for _, a := range set.bad {
			if store.Passing(a.err) {
				return a.err
			}
		}
	}
	return nil
}

// noteShortage remembers err if it is a shortage of the moment.
func (r *Repository) noteShortage(err error) {
	if r.short == nil && store.Passing(err) {
		r.short = err
	}
}
