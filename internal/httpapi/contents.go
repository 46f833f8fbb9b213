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

// sendContents answers with a page that build makes of what the version's archive holds. At
// most maxReading are made at once: to highlight a large file takes as long as to unpack it.
func (a *api) sendContents(w http.ResponseWriter, r *http.Request, s page.Subject, build func(*pkgr.Chart) page.Page) error {
	c, err := a.contents(r, s)
	if err != nil {
		return err
	}
	if a.reading.Acquire(r.Context(), 1) != nil {
		return errBusy
	}
	answer, data := func() (head, []byte) {
		defer a.reading.Release(1)
		return pageHead(r, build(c))
	}()
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
	c, err := a.contents(r, s)
	if err != nil {
		return err
	}
	f, ok := page.FindFile(c, name)
	switch {
	case !ok || raw && slash:
		return refuse(http.StatusNotFound, "%s %s has no file %s", s.Version.Entry.Name, s.Version.Entry.Version, path)
	case raw:
		return a.sendFile(w, r, f)
	case !slash:
		return addSlash(w, r, s.View)
	}
	return a.sendContents(w, r, s, func(*pkgr.Chart) page.Page { return page.FilePage(s, f) })
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
