package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"

	"github.com/go-chi/chi/v5"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/access"
	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ociCatalog answers with the names that the reader may read, of all repositories.
func (a *api) ociCatalog(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	all, err := a.namesIn(r, a.root)
	if err == nil && a.options.Repositories != nil {
		for _, name := range a.options.Repositories.Names() {
			other, there := a.options.Repositories.Find(name)
			if !there {
				continue
			}
			var more []string
			if more, err = a.namesIn(r, a.keep(name, other)); err != nil {
				break
			}
			all = append(all, more...)
		}
	}
	if err != nil {
		return err
	}
	page, err := pageOf(w, r, all)
	if err != nil {
		return err
	}
	return a.sendList(w, r, jsonType, map[string]any{"repositories": page})
}

// namesIn are the names in a repository, as clients call them: charts below charts/, where
// Helm's users look for them.
func (a *api) namesIn(r *http.Request, at *served) (names []string, err error) {
	registry := oci.Registry{Charts: &at.charts, View: a.viewOf(r, at), Pushed: at.src}
	charts, others, err := registry.Names()
	if err != nil {
		return nil, err
	}
	for _, name := range charts {
		names = append(names, path.Join("charts", at.name, name))
	}
	for _, name := range others {
		if a.mayIn(r, access.Read, at.name, name) {
			names = append(names, path.Join(at.name, name))
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !layout.IsName(name) }), nil
}

// ociTags answers with the tags of a name.
func (a *api) ociTags(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	all, err := a.registryOf(r, v).Tags(name)
	if err != nil {
		return err
	}
	if all == nil {
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
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	d, err := digestIn(chi.URLParam(r, "digest"))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	kind := query.Get("artifactType")
	all, more, err := a.registryOf(r, v).Referrers(name, d, kind, query.Get("last"))
	if err != nil {
		return err
	}
	if more {
		query.Set("last", string(all[len(all)-1].Digest))
		link(w, r, query)
	}
	if kind != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return a.sendList(w, r, ocispec.MediaTypeImageIndex, &ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: append([]ocispec.Descriptor{}, all...),
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
		query.Set("last", page[n-1])
		link(w, r, query)
	}
	return page, nil
}

// link leads to the next page of a list.
func link(w http.ResponseWriter, r *http.Request, query url.Values) {
	next := url.URL{RawQuery: query.Encode()}
	next.Path, _ = cleanPath(r.URL.Path) // two slashes in front would be a host
	w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
}

// sendList answers with what was made for this request.
func (a *api) sendList(w http.ResponseWriter, r *http.Request, kind string, list any) error {
	data := jsonOf(list)
	return a.sendMade(w, r, `"`+chart.Digest(data)+`"`, kind, data)
}
