package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/page"
	"chartserve/internal/pkgr"
)

// sendContents answers with a page that build makes of what the version's archive holds.
func (a *api) sendContents(w http.ResponseWriter, r *http.Request, s page.Subject, build func(*pkgr.Chart) page.Page) error {
	return a.sendRead(w, r, func() (page.Page, error) {
		c, err := a.contents(s)
		if err != nil {
			return page.Page{}, err
		}
		return build(c), nil
	})
}

// sendRead answers with a page that build reads archives for. It is sent once others may read.
func (a *api) sendRead(w http.ResponseWriter, r *http.Request, build func() (page.Page, error)) error {
	var answer head
	var data []byte
	err := a.reads(r, func() error {
		p, err := build()
		if err == nil {
			answer, data = pageHead(r, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	return a.sendHashed(w, r, answer, data)
}

func (a *api) values(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendContents(w, r, s, func(c *pkgr.Chart) page.Page {
		return page.Values(s, c, a.shelf.Keys(s.Version, c), page.ParseQuery(r.URL.Query()))
	})
}

func (a *api) images(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendContents(w, r, s, func(c *pkgr.Chart) page.Page { return page.Images(s, a.shelf.Images(s.Version, c)) })
}

func (a *api) files(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendContents(w, r, s, func(c *pkgr.Chart) page.Page { return page.Files(s, c) })
}

// chartFile answers with the page of a file of an archive, or, with ?raw, with the file.
func (a *api) chartFile(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	path := chi.URLParam(r, "*")
	name, slash := strings.CutSuffix(path, "/")
	raw := r.URL.Query().Has("raw")
	var f page.File
	var ok bool
	err := a.reads(r, func() error {
		c, err := a.contents(s)
		if err == nil {
			f, ok = page.FindFile(c, name)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !ok || raw && slash:
		return refuse(http.StatusNotFound, "%s %s has no file %s", s.Version.Entry.Name, s.Version.Entry.Version, path)
	case raw:
		return a.sendFile(w, r, f)
	case !slash:
		return addSlash(w, r, s.View)
	}
	return a.sendRead(w, r, func() (page.Page, error) { return page.FilePage(s, f), nil })
}

// sendFile answers with a file of a chart, of which nothing runs in the origin of the pages.
func (a *api) sendFile(w http.ResponseWriter, r *http.Request, f page.File) error {
	release, err := a.hold(int64(len(f.Data)))
	if err != nil {
		return err
	}
	defer release()
	sum := sha256.Sum256(f.Data)
	answer := head{kind: f.Type, policy: filePolicy, referrer: "no-referrer", cache: "no-cache", etag: `"` + hex.EncodeToString(sum[:]) + `"`, ranges: true}
	if to := f.Disposition(); to != "" {
		w.Header().Set("Content-Disposition", to)
	}
	return content{data: f.Data}.send(w, r, &answer)
}
