package httpapi

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/repo"
)

const (
	// settleTime bounds the wait for the Snapshot that knows a replaced file.
	settleTime = time.Second
	settleStep = 5 * time.Millisecond
)

// file answers with an archive, a provenance file, or another plain file of the
// repository.
func (a *api) file(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	f, content, err := a.open(r, s, names(a.context, "/"+chi.URLParam(r, "*")))
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h.Set("ETag", f.ETag)
	h.Set("Cache-Control", cacheControl(f))
	h.Set("Content-Type", contentType(f))
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	// An archive is a gzip file; to declare that as an encoding would have clients
	// unpack it. ServeContent sends it with sendfile, and answers ranges, HEAD and
	// conditions.
	http.ServeContent(w, r, "", lastModified(f.ModTime), content)
	return nil
}

// open finds and opens the file that one of the names means. Between the renaming
// of a new archive over the old one and the Snapshot that knows it, the listed
// file is not there; that is waited for, because Helm doesn't try twice.
func (a *api) open(r *http.Request, s *repo.Snapshot, names []string) (*repo.File, io.ReadSeekCloser, error) {
	giveUp := time.Now().Add(settleTime)
	for {
		f, ok := lookup(s, names)
		if !ok && s.Index == nil {
			return nil, nil, errNotReady
		}
		if !ok {
			return nil, nil, errNotFound
		}
		content, err := a.small.open(s, f)
		if err == nil {
			return f, content, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if s, ok = a.next(r, s, giveUp); !ok {
			return nil, nil, errChanging
		}
	}
}

// next waits until there is another Snapshot than s.
func (a *api) next(r *http.Request, s *repo.Snapshot, giveUp time.Time) (*repo.Snapshot, bool) {
	for {
		if now := a.src.Snapshot(); now != s {
			return now, true
		}
		if time.Now().After(giveUp) {
			return nil, false
		}
		select {
		case <-r.Context().Done():
			return nil, false
		case <-time.After(settleStep):
		}
	}
}

func lookup(s *repo.Snapshot, names []string) (*repo.File, bool) {
	for _, name := range names {
		if f, ok := s.Lookup(name); ok {
			return f, true
		}
	}
	return nil, false
}

func cacheControl(f *repo.File) string {
	if f.Immutable {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache" // a name may get other bytes
}

// lastModified leaves the date out while the file could still change within the
// same second, which is all that a date tells.
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
		return "text/plain; charset=utf-8"
	case ".yaml", ".yml":
		return yamlType
	case ".json":
		return jsonType
	case ".html", ".htm":
		return "text/html; charset=utf-8"
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
