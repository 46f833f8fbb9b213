package httpapi

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/repo"
)

const (
	// settleTime bounds the wait for the View that knows a replaced file.
	settleTime = time.Second
	settleStep = 5 * time.Millisecond
)

// file answers with an archive, a provenance file, or another plain file of the
// repository. An archive is a gzip file; to declare that as an encoding would have
// clients unpack it.
func (a *api) file(w http.ResponseWriter, r *http.Request, s *repo.View) error {
	list := names(a.context, chi.RouteContext(r.Context()).RoutePath)
	f, err := a.open(r, s, func(v *repo.View) (*repo.File, bool) { return lookup(v, list) })
	if err != nil {
		return err
	}
	answer := head{
		kind: contentType(f.File), policy: policyOf(f.File), cache: cacheControl(f.File), etag: f.ETag,
		modified: lastModified(f.ModTime), ranges: true,
	}
	return f.send(w, r, &answer)
}

// content is that of a file or of a blob: data where it is small, else onDisk.
type content struct {
	data   []byte
	onDisk *os.File
}

// send answers with the content, or with what a request asks of it, and closes it.
func (c content) send(w http.ResponseWriter, r *http.Request, answer *head) error {
	if c.onDisk != nil {
		defer c.onDisk.Close()
	}
	if changed(r, answer.etag, answer.modified) {
		return errPrecondition // http.ServeContent would send it with the headers of the file
	}
	if c.onDisk != nil {
		answer.set(w.Header(), -1)
		http.ServeContent(w, r, "", answer.modified, c.onDisk) // with sendfile
		return nil
	}
	if conditional(r.Header) {
		answer.set(w.Header(), -1)
		http.ServeContent(w, r, "", answer.modified, bytes.NewReader(c.data))
		return nil
	}
	answer.reply(w, r, http.StatusOK, c.data)
	return nil
}

// conditional reports whether a request asks for a part of a file, or for it
// under a condition.
func conditional(h http.Header) bool {
	return h["Range"] != nil || h["If-None-Match"] != nil || h["If-Modified-Since"] != nil ||
		h["If-Match"] != nil || h["If-Unmodified-Since"] != nil
}

// opened is a file with its content.
type opened struct {
	*repo.File
	content
}

// open finds a file by lookup and opens it. Between the renaming
// of a new archive over the old one and the View that knows it, the listed
// file is not there; that is waited for, because Helm doesn't try twice.
func (a *api) open(r *http.Request, s *repo.View, lookup func(*repo.View) (*repo.File, bool)) (opened, error) {
	for giveUp := time.Now().Add(settleTime); ; s = a.view(r) {
		f, ok := lookup(s)
		if !ok && s.Index == nil {
			return opened{}, errNotReady
		}
		if !ok {
			return opened{}, errNotFound
		}
		found := opened{File: f}
		var err error
		if f.Size > smallFile {
			found.onDisk, err = s.Open(f)
		} else {
			found.data, err = a.small.data(a.at(r), s, f)
		}
		if err == nil {
			return found, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return opened{}, err
		}
		if r.Context().Err() != nil || time.Now().After(giveUp) {
			return opened{}, errChanging
		}
		time.Sleep(settleStep)
	}
}

func lookup(s *repo.View, names []string) (*repo.File, bool) {
	for _, name := range names {
		if f, ok := s.File(name); ok {
			return f, true
		}
	}
	return nil, false
}

// policyOf is none for an archive, which no browser shows. The headers of an archive are
// eight, X-Request-Id with them: a map of more takes a tenth of all that answering costs.
func policyOf(f *repo.File) string {
	if f.Archive {
		return ""
	}
	return filePolicy
}

// immutable is for what is found by its digest.
const immutable = "public, max-age=31536000, immutable"

func cacheControl(f *repo.File) string {
	if f.Immutable {
		return immutable
	}
	return "no-cache" // a name may get other bytes
}

// lastModified leaves the date out while the file could still change within the
// same second: a date is no more exact.
func lastModified(t time.Time) time.Time {
	if time.Since(t) < 2*time.Second {
		return time.Time{}
	}
	return t
}

// contentType does not depend on the system's tables. What is not known is for
// download, never guessed from the content.
func contentType(f *repo.File) string {
	if f.Archive {
		return "application/gzip"
	}
	switch strings.ToLower(path.Ext(f.Name)) {
	case ".prov", ".txt", ".md", ".asc", ".sig":
		return plainType
	case ".yaml", ".yml":
		return yamlType
	case ".json":
		return jsonType
	case ".html", ".htm":
		return htmlType
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".ico":
		return "image/x-icon"
	case ".tgz", ".gz":
		return "application/gzip"
	}
	return "application/octet-stream"
}
