package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/opencontainers/go-digest"

	"chartserve/internal/access"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// blobUpload is an upload of a blob that goes on.
type blobUpload struct {
	*oci.Target
	id string
}

// uploadOf is the upload that a path names, of somebody who may go on with it.
func (a *api) uploadOf(r *http.Request) (*blobUpload, error) {
	t, err := a.target(r, access.Upload, false)
	return &blobUpload{t, chi.URLParam(r, "id")}, err
}

// postBlob begins an upload, takes a blob that is the body (?digest=), or one that another
// name has (?mount=&from=).
func (a *api) postBlob(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	t, err := a.target(r, access.Upload, true)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	d := digest.Digest(query.Get("mount"))
	mounted, err := a.mount(r, t, d, query.Get("from"))
	if err != nil {
		return err
	}
	if mounted {
		return created(w, r, "/blobs/", d)
	}
	u := &blobUpload{Target: t}
	if u.id, err = t.Layout.Start(t.Name); err != nil {
		return refusedPush(err, "")
	}
	if !query.Has("digest") {
		return u.status(w, r, http.StatusAccepted, 0)
	}
	if err := u.finish(w, r); err != nil {
		_ = t.Layout.Cancel(t.Name, u.id) // nobody knows it
		return err
	}
	return nil
}

// mount has a blob of another name in t, and reports whether there is such a one, which who
// makes the request may read. If not, a client uploads it.
func (a *api) mount(r *http.Request, t *oci.Target, d digest.Digest, from string) (bool, error) {
	if !layout.IsDigest(d) || !layout.IsName(from) {
		return false, nil
	}
	at, name := a.contentOf(from)
	if at.name != t.Repository || a.may(r, access.Read, name) != nil {
		return false, nil
	}
	return t.Mount(name, d)
}

// patchBlob takes the next bytes of an upload. Those that Content-Range names, if it is there.
func (a *api) patchBlob(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	u, err := a.uploadOf(r)
	if err != nil {
		return err
	}
	b := newBody(w, r)
	size, err := u.take(r)
	if err := b.end(err); err != nil {
		return u.explain(w, r, err)
	}
	return u.status(w, r, http.StatusAccepted, size)
}

// putBlob takes the last bytes of an upload, if there are more, and makes a blob of all.
func (a *api) putBlob(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	u, err := a.uploadOf(r)
	if err != nil {
		return err
	}
	return u.finish(w, r)
}

// finish is putBlob for an upload that is known.
func (u *blobUpload) finish(w http.ResponseWriter, r *http.Request) error {
	b := newBody(w, r)
	d, err := digestIn(r.URL.Query().Get("digest"))
	if err == nil {
		_, err = u.take(r)
	}
	if err == nil {
		err = u.Layout.Finish(u.Name, u.id, d) // minutes, for what is large
	}
	if err = b.end(err); err != nil {
		return u.explain(w, r, err)
	}
	return created(w, r, "/blobs/", d)
}

// take adds the body of r to the upload, and returns its size.
func (u *blobUpload) take(r *http.Request) (size int64, err error) {
	at, length, err := contentRange(r)
	if err != nil {
		return 0, err
	}
	size, err = u.Layout.Append(u.Name, u.id, at, r.Body)
	if err == nil && at >= 0 && size != at+length {
		err = refuseOCI(http.StatusBadRequest, "SIZE_INVALID", "Content-Range is of %d bytes, and %d came", length, size-at)
	}
	return size, err
}

// contentRange is where the body of r belongs in an upload, and its length, in bytes; at is -1
// where r does not say.
func contentRange(r *http.Request) (at, length int64, err error) {
	text := r.Header.Get("Content-Range")
	if text == "" {
		return -1, 0, nil
	}
	first, last, _ := strings.Cut(text, "-")
	from, err := strconv.ParseUint(first, 10, 63)
	to, err2 := strconv.ParseUint(last, 10, 63)
	if err != nil || err2 != nil || to < from || to-from == math.MaxInt64 {
		return 0, 0, refuseOCI(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "Content-Range %q: write FIRST-LAST, in bytes", text)
	}
	return int64(from), int64(to - from + 1), nil
}

// explain is err as the client is told, who learns how far the upload is where it is not
// where that thought.
func (u *blobUpload) explain(w http.ResponseWriter, r *http.Request, err error) error {
	if errors.Is(err, layout.ErrOrder) {
		if size, err := u.Layout.Size(u.Name, u.id); err == nil {
			u.tell(w, r, size)
		}
	}
	return refusedPush(err, "")
}

// tell puts into the headers where an upload goes on, and how far it is.
func (u *blobUpload) tell(w http.ResponseWriter, r *http.Request, size int64) {
	fill(w.Header(), field{"Location", registryPath(r, "/blobs/uploads/"+u.id)}, field{"Docker-Upload-Uuid", u.id},
		field{"Range", fmt.Sprintf("0-%d", max(size-1, 0))})
}

func (u *blobUpload) status(w http.ResponseWriter, r *http.Request, code int, size int64) error {
	u.tell(w, r, size)
	return empty(w, code)
}

// uploadStatus says how far an upload is.
func (a *api) uploadStatus(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	u, err := a.uploadOf(r)
	if err != nil {
		return err
	}
	size, err := u.Layout.Size(u.Name, u.id)
	if err != nil {
		return refusedPush(err, "")
	}
	return u.status(w, r, http.StatusNoContent, size)
}

// cancelBlob ends an upload, of which nothing is kept.
func (a *api) cancelBlob(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	u, err := a.uploadOf(r)
	if err != nil {
		return err
	}
	if err := u.Layout.Cancel(u.Name, u.id); err != nil {
		return refusedPush(err, "")
	}
	return empty(w, http.StatusNoContent)
}
