package httpapi

import (
	"net/http"
	"path"
	"strings"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// page answers with the list for a browser.
func (a *api) page(w http.ResponseWriter, r *http.Request, s *repo.View) error {
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
	if s.Index == nil || s.Page.Len() == 0 {
		return errNotReady
	}
	answer := head{kind: htmlType, policy: a.pageCSP, referrer: "no-referrer", location: location}
	return a.pageGzip.send(w, r, answer, index.Body{Data: s.Page, ETag: s.PageETag})
}
