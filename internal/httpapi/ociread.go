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

// registryOf is the repository that a request is for, as clients of registries read it.
func (a *api) registryOf(r *http.Request, v *repo.View) oci.Registry {
	at := a.at(r)
	return oci.Registry{Charts: &at.charts, View: v, Pushed: at.src, Log: a.log}
}

// digestIn is the digest that a path names.
func digestIn(reference string) (digest.Digest, error) {
	if d := digest.Digest(reference); layout.IsDigest(d) {
		return d, nil
	}
	return "", errDigest
}

// ociManifest answers with a manifest, by tag or by digest.
func (a *api) ociManifest(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	answer, reference := head{policy: filePolicy, cache: "no-cache"}, chi.URLParam(r, "reference")
	find := func(v *repo.View) (*oci.Found, error) { return a.registryOf(r, v).Manifest(name, reference) }
	if strings.Contains(reference, ":") {
		d, err := digestIn(reference)
		if err != nil {
			return err
		}
		answer.cache = immutable
		find = func(v *repo.View) (*oci.Found, error) { return a.registryOf(r, v).ManifestByDigest(name, d) }
	}
	return a.sendFound(w, r, v, &answer, find, errNoManifest)
}

// ociBlob answers with a blob.
func (a *api) ociBlob(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	name, err := a.readable(r)
	if err != nil {
		return err
	}
	d, err := digestIn(chi.URLParam(r, "digest"))
	if err != nil {
		return err
	}
	find := func(v *repo.View) (*oci.Found, error) { return a.registryOf(r, v).Blob(name, d) }
	return a.sendFound(w, r, v, &head{kind: "application/octet-stream", cache: immutable}, find, errNoBlob)
}

// sendFound answers with the manifest or the blob that find finds, or returns the error
// none. The file of an archive that is being replaced is looked for as open does it.
func (a *api) sendFound(w http.ResponseWriter, r *http.Request, v *repo.View, answer *head, find func(*repo.View) (*oci.Found, error), none error) error {
	found, err := find(v)
	if err != nil {
		return err
	}
	if found == nil {
		return none
	}
	c := content{onDisk: found.Disk}
	switch {
	case found.File != nil:
		var f opened
		f, err = a.open(r, v, func(now *repo.View) (*repo.File, bool) {
			if now == v {
				return found.File, true
			}
			found, err := find(now)
			if err != nil || found == nil {
				return nil, false
			}
			found.Close()
			return found.File, found.File != nil
		})
		c = f.content
	case found.Make != nil:
		release, busy := a.hold(found.Size)
		if busy != nil {
			return busy
		}
		defer release()
		c.data, err = a.small.made(a.at(r), string(found.Digest), found.Make)
	}
	switch {
	case errors.Is(err, errNotFound), errors.Is(err, fs.ErrNotExist):
		return none
	case err != nil:
		return err
	}
	if found.MediaType != "" {
		answer.kind = found.MediaType
	}
	w.Header()["Docker-Content-Digest"] = []string{string(found.Digest)}
	answer.etag, answer.ranges = `"`+string(found.Digest)+`"`, true
	return c.send(w, r, answer)
}
