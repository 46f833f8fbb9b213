package httpapi

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/opencontainers/go-digest"

	"chartserve/internal/access"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ociWrites are the routes of a registry that write.
func (a *api) ociWrites(r chi.Router) {
	u := &a.options.Uploads
	if u.Publisher == nil {
		return
	}
	takes := func(h handler) http.HandlerFunc {
		return a.answered(largestBlob(cmp.Or(u.MaxBlob, layout.DefaultMaxBlob), a.inTurn(ready(h))))
	}
	const name = "/v2/{name}"
	const upload = name + "/blobs/uploads/{id}"
	r.Post(name+"/blobs/uploads/", takes(a.postBlob))
	r.Get(upload, a.serve(a.uploadStatus))
	r.Patch(upload, takes(a.patchBlob))
	r.Put(upload, takes(a.putBlob))
	r.Delete(upload, a.serve(a.cancelBlob))
	r.Put(name+"/manifests/{reference}", a.serveBody(layout.MaxManifest, a.inTurn(ready(a.putManifest))))
	if !u.NoDelete {
		r.Delete(name+"/manifests/{reference}", a.serve(ready(a.deleteManifest)))
		r.Delete(name+"/blobs/{digest}", a.serve(ready(a.deleteBlob)))
	}
}

// largestBlob bounds the body of h, and says by which option.
func largestBlob(limit int64, h handler) handler {
	h = atMost(limit, h)
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		err := h(w, r, v)
		if errors.Is(err, errTooLarge) {
			return refuse(http.StatusRequestEntityTooLarge, "a blob of more than %d bytes is too large (the server's --max-blob-size)", limit)
		}
		return err
	}
}

// target is what a request writes to, of somebody who has the right. Where nobody has made
// the repository yet it is made if make says so; else the error is errNotFound.
func (a *api) target(r *http.Request, right access.Right, make bool) (*oci.Target, error) {
	at, name := a.at(r), contentName(r)
	note(r, name, oci.Version(cmp.Or(chi.URLParam(r, "reference"), chi.URLParam(r, "digest"))))
	if err := a.may(r, right, name); err != nil {
		return nil, err
	}
	l, err := at.src.Content(make)
	if errors.Is(err, fs.ErrNotExist) {
		err = errNotFound
	}
	return &oci.Target{
		Repository: at.name, Name: name, Layout: l, View: at.src.View, Charts: &at.charts, Publisher: at.publisher,
		MaxArchive: cmp.Or(a.options.Uploads.MaxSize, DefaultMaxUpload), Turns: &a.pushes, Log: a.log,
	}, err
}

// putManifest keeps a manifest, and publishes the chart that it is of under its tag.
func (a *api) putManifest(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	t, err := a.target(r, access.Upload, true)
	if err != nil {
		return err
	}
	b := newBody(w, r)
	p, tag, err := a.takeManifest(r, t)
	if err := b.end(err); err != nil {
		return refusedPush(err, t.Name+" "+oci.Version(tag))
	}
	if p.Subject != nil {
		w.Header()["Oci-Subject"] = []string{string(p.Subject.Digest)}
	}
	return created(w, r, "/manifests/", p.Digest)
}

// takeManifest is putManifest for a body that is to be read. The tag is empty where the path
// has a digest.
func (a *api) takeManifest(r *http.Request, t *oci.Target) (p *oci.Sent, tag string, err error) {
	tag, d, err := reference(r)
	if err != nil {
		return nil, "", err
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, tag, err
	}
	if len(data) > smallFile { // parsed it takes many times its size
		if err := a.reading.Acquire(r.Context(), 1); err != nil {
			return nil, tag, errBusy
		}
		defer a.reading.Release(1)
	}
	if p, err = manifestIn(data, d, r.Header.Get("Content-Type")); err != nil {
		return nil, tag, err
	}
	return p, tag, t.Put(r.Context(), tag, p, a.uploading(r, nil))
}

// manifestIn reads a manifest, which has the digest d unless that is empty.
func manifestIn(data []byte, d digest.Digest, contentType string) (*oci.Sent, error) {
	if d == "" {
		d = digest.FromBytes(data)
	} else if is := d.Algorithm().FromBytes(data); d != is {
		return nil, refuseOCI(http.StatusBadRequest, "DIGEST_INVALID", "the manifest has the digest %s", is)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = ""
	}
	m, err := oci.ParseManifest(kind, data)
	return &oci.Sent{Manifest: m, Digest: d, Data: data}, err
}

// refusedPush is err as the client of a push is told, or of a removal. what is the version of
// a chart.
func refusedPush(err error, what string) error {
	for _, row := range [...]struct {
		kind     error
		code     int
		registry string // empty: registryCode has it
	}{
		{oci.ErrManifest, http.StatusBadRequest, "MANIFEST_INVALID"},
		{oci.ErrNoBlob, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN"},
		{oci.ErrNoManifest, http.StatusNotFound, "MANIFEST_UNKNOWN"},
		{oci.ErrTaken, http.StatusConflict, ""},
		{oci.ErrChart, http.StatusConflict, ""},
		{oci.ErrUnknownBlob, http.StatusNotFound, "BLOB_UNKNOWN"},
		{layout.ErrNoUpload, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN"},
		{layout.ErrOrder, http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID"},
		{layout.ErrDigest, http.StatusBadRequest, "DIGEST_INVALID"},
		{layout.ErrTooLarge, http.StatusRequestEntityTooLarge, ""},
		{layout.ErrTooMany, http.StatusTooManyRequests, ""},
	} {
		if errors.Is(err, row.kind) {
			return refuseOCI(row.code, row.registry, "%v", err)
		}
	}
	return refused(err, what+" is there already, with other content (raise the version)")
}

// deleteManifest takes a tag away, or a manifest with all its tags, and the version of the
// chart that it is.
func (a *api) deleteManifest(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	t, err := a.target(r, access.Delete, false)
	if err != nil {
		return err
	}
	tag, d, err := reference(r)
	if err != nil {
		return err
	}
	if tag != "" {
		err = t.DeleteTag(r.Context(), tag)
	} else {
		err = t.DeleteManifest(r.Context(), d)
	}
	if err != nil {
		return refusedPush(err, t.Name)
	}
	return empty(w, http.StatusAccepted)
}

// deleteBlob takes a blob away from a name. What a version of a chart has goes with that.
func (a *api) deleteBlob(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	t, err := a.target(r, access.Delete, false)
	if err != nil {
		return err
	}
	d, err := digestIn(chi.URLParam(r, "digest"))
	if err != nil {
		return err
	}
	if err := t.DeleteBlob(d); err != nil {
		return refusedPush(err, "")
	}
	return empty(w, http.StatusAccepted)
}

// reference is the tag or the digest that a path ends with; the other one is empty.
func reference(r *http.Request) (tag string, d digest.Digest, err error) {
	text := chi.URLParam(r, "reference")
	switch {
	case strings.Contains(text, ":"):
		d, err = digestIn(text)
		return "", d, err
	case !layout.IsTag(text):
		return "", "", refuseOCI(http.StatusBadRequest, "MANIFEST_INVALID", "a tag has up to 128 letters, digits, '_', '.' and '-', and does not begin with the last two")
	}
	return text, "", nil
}

// registryPath is a path below the name that r asked for.
func registryPath(r *http.Request, rest string) string { return "/v2/" + placeOf(r).asked + rest }

// created says where a blob or a manifest is that was pushed.
func created(w http.ResponseWriter, r *http.Request, kind string, d digest.Digest) error {
	fill(w.Header(), field{"Location", registryPath(r, kind+string(d))}, field{"Docker-Content-Digest", string(d)})
	return empty(w, http.StatusCreated)
}

// empty answers without a body.
func empty(w http.ResponseWriter, code int) error {
	a, size := head{policy: barePolicy, cache: "no-store"}, 0
	if code == http.StatusNoContent {
		size = -1
	}
	a.set(w.Header(), size)
	w.WriteHeader(code)
	return nil
}
