package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"github.com/go-chi/chi/v5"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ociCatalog answers with the names that the reader may read, of all repositories.
func (a *api) ociCatalog(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	all := a.namesIn(r, a.root)
	if a.options.Repositories != nil {
		for _, name := range a.options.Repositories.Names() {
			if other, there := a.options.Repositories.Find(name); there {
				all = append(all, a.namesIn(r, a.keep(name, other))...)
			}
		}
	}
	page, err := pageOf(w, r, all)
	if err != nil {
		return err
	}
	return a.sendList(w, r, jsonType, map[string]any{"repositories": page})
}

// namesIn are the names of a repository's charts, as clients call them.
func (a *api) namesIn(r *http.Request, at *served) (names []string) {
	for _, name := range oci.Names(a.viewOf(r, at)) {
		if name = path.Join("charts", at.name, name); layout.IsName(name) {
			names = append(names, name)
		}
	}
	return names
}

// ociTags answers with the tags of a name.
func (a *api) ociTags(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	all := oci.Tags(v, name)
	if len(all) == 0 {
		return errNotFound
	}
	page, err := pageOf(w, r, all)
	if err != nil {
		return err
	}
	return a.sendList(w, r, jsonType, map[string]any{"name": placeOf(r).asked, "tags": page})
}

// ociReferrers answers with the manifests that refer to another one. Clients take an error
// for a registry that does not know of referrers: what is not there has none.
func (a *api) ociReferrers(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	if _, err := a.readable(r); err != nil {
		return err
	}
	if _, err := digestIn(chi.URLParam(r, "digest")); err != nil {
		return err
	}
	return a.sendList(w, r, ocispec.MediaTypeImageIndex, &ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{},
	})
}

// pageOf is the part of a list that a request asks for, with a Link to the next one.
func pageOf(w http.ResponseWriter, r *http.Request, all []string) ([]string, error) {
	query := r.URL.Query()
	n, err := number(query, "n", 0, "non-negative")
	if err != nil {
		return nil, err
	}
	page, more := oci.Page(all, n, query.Get("last"))
	if more && n > 0 {
		next := url.URL{RawQuery: url.Values{"n": {strconv.Itoa(n)}, "last": {page[n-1]}}.Encode()}
		next.Path, _ = cleanPath(r.URL.Path) // two slashes in front would be a host
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	return page, nil
}

// sendList answers with what was made for this request.
func (a *api) sendList(w http.ResponseWriter, r *http.Request, kind string, list any) error {
	data := jsonOf(list)
	return a.sendMade(w, r, `"`+chart.Digest(data)+`"`, kind, data)
}
