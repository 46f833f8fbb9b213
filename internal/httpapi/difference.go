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
	return a.sendRead(w, r, func() (page.Page, error) {
		was, _, err := a.sideOf(s, from)
		if err != nil {
			return page.Page{}, err
		}
		is, after, err := a.sideOf(s, to)
		if err != nil {
			return page.Page{}, err
		}
		return page.Difference(after, from, was, is, &a.shelf), nil
	})
}

// sideOf is a version that is compared: what its archive holds, and the Subject of its page.
func (a *api) sideOf(s page.Subject, v *repo.Version) (*pkgr.Chart, page.Subject, error) {
	own, err := page.NewSubject(s.Frame, s.View, s.Chart, v)
	if err != nil {
		return nil, own, err
	}
	c, err := a.contents(own)
	return c, own, err
}
