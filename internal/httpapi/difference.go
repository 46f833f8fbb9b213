package httpapi

import (
	"net/http"

	"chartserve/internal/page"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// difference answers with what changed between two versions of a chart.
func (a *api) difference(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	q := r.URL.Query()
	from, to := page.Pair(s.Chart, q.Get("from"), q.Get("to"))
	switch {
	case to == nil:
		return noVersionOf(s.Chart, q.Get("to"))
	case from == nil:
		return noVersionOf(s.Chart, q.Get("from"))
	}
	if q.Has("rendered") {
		return a.rendered(w, r, s, from, to)
	}
	was, _, err := a.sideOf(r, s, from)
	if err != nil {
		return err
	}
	is, after, err := a.sideOf(r, s, to)
	if err != nil {
		return err
	}
	if a.reading.Acquire(r.Context(), 1) != nil {
		return errBusy
	}
	p := page.Difference(after, from, was, is, &a.shelf)
	a.reading.Release(1)
	return a.sendPage(w, r, p, "")
}

// sideOf is a version that is compared: what its archive holds, and the Subject of its page.
func (a *api) sideOf(r *http.Request, s page.Subject, v *repo.Version) (*pkgr.Chart, page.Subject, error) {
	own, err := page.NewSubject(s.Frame, s.View, s.Chart, v)
	if err != nil {
		return nil, own, err
	}
	c, err := a.contents(r, own)
	return c, own, err
}
