package httpapi

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ociManifest answers with a manifest, by tag or by digest.
func (a *api) ociManifest(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	charts, answer := &a.at(r).charts, head{policy: barePolicy, cache: "no-cache"}
	var found *oci.Found
	if reference := chi.URLParam(r, "reference"); !strings.Contains(reference, ":") {
		found, err = charts.Manifest(v, name, reference)
	} else if d, bad := digestIn(reference); bad == nil {
		answer.cache = immutable
		found, err = charts.ManifestByDigest(v, name, d)
	} else {
		err = bad
	}
	switch {
	case err != nil:
		return err
	case found == nil:
		return errNoManifest
	}
	answer.kind = found.MediaType
	return a.sendFound(w, r, found, nil, &answer)
}

// ociBlob answers with an archive, a provenance or a config.
func (a *api) ociBlob(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	d, err := digestIn(chi.URLParam(r, "digest"))
	if err != nil {
		return err
	}
	charts := &a.at(r).charts
	found, err := charts.Blob(v, name, d)
	switch {
	case err != nil:
		return err
	case found == nil:
		return errNoBlob
	}
	again := func(v *repo.View) (*repo.File, bool) {
		found, err := charts.Blob(v, name, d)
		if err != nil || found == nil {
			return nil, false
		}
		return found.File, found.File != nil
	}
	return a.sendFound(w, r, found, again, &head{kind: "application/octet-stream", cache: immutable})
}

func digestIn(reference string) (digest.Digest, error) {
	if d := digest.Digest(reference); layout.IsDigest(d) {
		return d, nil
	}
	return "", errDigest
}

// sendFound answers with a manifest or a blob. lookup finds its file, if it has one.
func (a *api) sendFound(w http.ResponseWriter, r *http.Request, found *oci.Found, lookup func(*repo.View) (*repo.File, bool), answer *head) (err error) {
	var c content
	if found.File != nil {
		var f opened
		f, err = a.open(r, a.view(r), lookup)
		c = f.content
	} else {
		c.data, err = a.small.made(a.at(r), string(found.Digest), found.Make)
	}
	switch {
	case errors.Is(err, errNotFound):
		return errNoBlob
	case errors.Is(err, fs.ErrNotExist):
		return errChanging
	case err != nil:
		return err
	}
	w.Header()["Docker-Content-Digest"] = []string{string(found.Digest)}
	answer.etag, answer.ranges = `"`+string(found.Digest)+`"`, true
	return c.send(w, r, answer)
}
