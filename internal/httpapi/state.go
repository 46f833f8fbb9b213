package httpapi

import (
	"net/http"
	"strconv"

	"chartserve/internal/repo"
)

func healthz(w http.ResponseWriter, r *http.Request, _ *repo.Snapshot) error {
	return now(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
}

func readyz(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	if s.Index == nil {
		return errNotReady
	}
	return now(w, r, "text/plain; charset=utf-8", []byte("ready\n"))
}

func status(w http.ResponseWriter, r *http.Request, s *repo.Snapshot) error {
	if len(s.Status) == 0 {
		return errNotReady
	}
	return now(w, r, jsonType, s.Status)
}

// now sends what holds for this moment only.
func now(w http.ResponseWriter, r *http.Request, contentType string, data []byte) error {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", barePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(data)
	}
	return nil
}
