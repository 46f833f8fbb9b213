package httpapi

import (
	"errors"
	"net/http"

	"chartserve/internal/repo"
)

// The kinds of errors that clients are told about. All others are the server's
// own affair: 500 for the client, the log for the rest.
var (
	errNotFound     = errors.New("not found")
	errMethod       = errors.New("method not allowed")
	errPrecondition = errors.New("precondition failed")
	errHost         = errors.New("this host is not served here: see --allowed-host")
	errTooLarge     = errors.New("request body too large")
	errNotReady     = errors.New("not ready yet, try again soon")
	errChanging     = errors.New("being replaced, try again")
)

// answer is what an error becomes. The text is fixed, whatever the cause.
func answer(err error) (code int, text string) {
	for _, row := range [...]struct {
		kind error
		code int
	}{
		{errNotFound, http.StatusNotFound},
		{errMethod, http.StatusMethodNotAllowed},
		{errPrecondition, http.StatusPreconditionFailed},
		{errHost, http.StatusMisdirectedRequest},
		{errTooLarge, http.StatusRequestEntityTooLarge},
		{errNotReady, http.StatusServiceUnavailable},
		{errChanging, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, row.kind) {
			return row.code, row.kind.Error()
		}
	}
	return http.StatusInternalServerError, "internal server error"
}

// fail answers with what err becomes, and returns the status.
func fail(w http.ResponseWriter, r *http.Request, err error) int {
	code, text := answer(err)
	a := head{kind: plainType, policy: barePolicy, cache: "no-store"}
	h := w.Header()
	switch code {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, HEAD")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1") // seconds
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close")
	}
	a.reply(w, r, code, []byte(text+"\n"))
	return code
}

type handler func(http.ResponseWriter, *http.Request, *repo.View) error

// serve makes an http.Handler of h.
func (a *api) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r, a.src.View()); err != nil {
			if code := fail(w, r, err); code == http.StatusInternalServerError {
				a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, idAttr, w.Header().Get(idHeader), "error", err)
			}
		}
	}
}
