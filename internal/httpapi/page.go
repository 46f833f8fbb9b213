package httpapi

import (
	"net/http"
	"path"
	"strings"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// page answers with the list for a browser.
func (a *api) page(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	if at := placeOf(r); at != nil && at.bare {
		return a.sendPage(w, r, s, path.Base(at.name)+"/")
	}
	return a.sendPage(w, r, s, "")
}

// barePage is the page at the context path without a slash at the end. The links
// on the page are relative, so that it works behind a proxy that has another
// prefix; from /charts they lead to the root, which answers too, but from
// /helm/stable they would lead to /helm. There the browser is told to add the
// slash.
func (a *api) barePage(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	if strings.Count(a.context, "/") == 1 {
		return a.sendPage(w, r, s, "")
	}
	return a.sendPage(w, r, s, path.Base(a.context)+"/")
}

func (a *api) sendPage(w http.ResponseWriter, r *http.Request, s *repo.View, location string) error {
	answer := head{kind: htmlType, policy: page.Policy, referrer: "no-referrer", location: location}
	if s.Index == nil {
		answer.cache = "no-store"
		w.Header().Set("Retry-After", "1")
		answer.reply(w, r, http.StatusServiceUnavailable, a.at(r).all.list.Starting())
		return nil
	}
	f := a.faceOf(r)
	return f.listGzip.send(w, r, answer, f.list.Body(s, a.others(r)...))
}

func favicon(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	a := head{kind: "image/svg+xml", policy: filePolicy, cache: "max-age=86400"}
	a.reply(w, r, http.StatusOK, page.Favicon)
	return nil
}
