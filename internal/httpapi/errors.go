package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"chartserve/internal/oci"
	"chartserve/internal/page/markup"
	"chartserve/internal/repo"
)

// The kinds of errors that clients are told about. All others are the server's
// own affair: 500 for the client, the log for the rest.
var (
	errNotFound     = errors.New("not found")
	errMethod       = errors.New("method not allowed")
	errPrecondition = errors.New("precondition failed")
	errCrossOrigin  = errors.New("asked for by a page of another site")
	errHost         = errors.New("this host is not served here: see --allowed-host")
	errTooLarge     = errors.New("request too large")
	errNotReady     = errors.New("not ready yet, try again soon")
	errChanging     = errors.New("being replaced, try again")
	errBusy         = errors.New("too much at once, try again soon")
	errUnauthorized = errors.New("unauthorized")
	errSlowDown     = errors.New("too many logins failed from here, try again soon")
	errNoManifest   = errors.New("manifest unknown")
	errNoBlob       = errors.New("blob unknown")
	errDigest       = errors.New("not a digest: write sha256: and 64 lower-case hex digits")
)

// refusal is an error with a text of its own, about what the client asked or sent.
type refusal struct {
	code     int
	text     string
	registry string // the code that a registry's clients get; empty: registryCode has it
}

func (e *refusal) Error() string { return e.text }

func refuse(code int, format string, args ...any) error {
	return refuseOCI(code, "", format, args...)
}

// refuseOCI is refuse for a registry's client, who gets the code of the name registry.
func refuseOCI(code int, registry, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...), registry}
}

// answer is what an error becomes. But for a refusal's the text is fixed, whatever the
// cause. registry is the code for a registry's client.
func answer(err error) (code int, text, registry string) {
	if own := new(refusal); errors.As(err, &own) {
		return own.code, own.text, cmp.Or(own.registry, registryCode(own.code))
	}
	for _, row := range [...]struct {
		kind     error
		code     int
		registry string // empty: registryCode has it
	}{
		{errNotFound, http.StatusNotFound, ""},
		{errMethod, http.StatusMethodNotAllowed, ""},
		{errPrecondition, http.StatusPreconditionFailed, ""},
		{errHost, http.StatusMisdirectedRequest, ""},
		{errUnauthorized, http.StatusUnauthorized, ""},
		{errSlowDown, http.StatusTooManyRequests, ""},
		{errCrossOrigin, http.StatusForbidden, ""},
		{errTooLarge, http.StatusRequestEntityTooLarge, ""},
		{errNotReady, http.StatusServiceUnavailable, ""},
		{errBusy, http.StatusServiceUnavailable, ""},
		{errChanging, http.StatusServiceUnavailable, ""},
		{repo.ErrStopped, http.StatusServiceUnavailable, ""},
		{repo.ErrFull, http.StatusInsufficientStorage, ""},
		{syscall.ENOSPC, http.StatusInsufficientStorage, ""},
		{syscall.EDQUOT, http.StatusInsufficientStorage, ""},
		{errNoManifest, http.StatusNotFound, "MANIFEST_UNKNOWN"},
		{errNoBlob, http.StatusNotFound, "BLOB_UNKNOWN"},
		{errDigest, http.StatusBadRequest, "DIGEST_INVALID"},
		{oci.ErrPath, http.StatusNotFound, ""},
		{oci.ErrName, http.StatusBadRequest, "NAME_INVALID"},
	} {
		if errors.Is(err, row.kind) {
			return row.code, row.kind.Error(), cmp.Or(row.registry, registryCode(row.code))
		}
	}
	return http.StatusInternalServerError, "internal server error", registryCode(http.StatusInternalServerError)
}

// registryCode is the code that the distribution specification has for errors of a status,
// or what comes next to one.
func registryCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case http.StatusForbidden, http.StatusConflict, http.StatusMisdirectedRequest:
		return "DENIED"
	case http.StatusNotFound:
		return "NAME_UNKNOWN"
	case http.StatusRequestEntityTooLarge:
		return "SIZE_INVALID"
	case http.StatusTooManyRequests:
		return "TOOMANYREQUESTS"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	}
	if status >= http.StatusInternalServerError {
		return "UNKNOWN"
	}
	return "UNSUPPORTED"
}

// fail answers with what err becomes, which it notes for the audit, and returns the status.
func fail(w http.ResponseWriter, r *http.Request, err error) int {
	if v := visitOf(r); v != nil {
		v.reason = err
	}
	code, text, registry := answer(err)
	a, body := head{kind: plainType, policy: barePolicy, cache: "no-store"}, markup.Inert([]byte(text+"\n"))
	switch {
	case isRegistry(r.URL.Path):
		a.kind, body = jsonType, jsonOf(map[string]any{"errors": []map[string]string{{"code": registry, "message": text}}})
	case isAPI(r.URL.Path):
		a.kind, body = jsonType, jsonOf(map[string]string{"error": text})
	}
	h := w.Header()
	switch code {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="chartserve"`)
	case http.StatusTooManyRequests:
		h.Set("Retry-After", "5")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1") // seconds
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close")
	}
	a.reply(w, r, code, body)
	return code
}

// isRegistry reports whether a path belongs to the API of registries, before it is cleaned.
func isRegistry(path string) bool {
	path = strings.TrimLeft(path, "/")
	return strings.HasPrefix(path, "v2") && (len(path) == 2 || path[2] == '/')
}

// isAPI reports whether a path belongs to ChartMuseum's API, whose errors are JSON.
func isAPI(path string) bool { return strings.Contains(path, "/api/") }

// jsonOf is v as JSON; v is of this package's own types, which have no errors.
func jsonOf(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

type handler func(http.ResponseWriter, *http.Request, *repo.View) error

// ready makes a handler of h, which needs the index.
func ready(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		if v.Index == nil {
			return errNotReady
		}
		return h(w, r, v)
	}
}

// serve makes an http.Handler of h, for requests that need no body.
func (a *api) serve(h handler) http.HandlerFunc { return a.serveBody(maxBody, h) }

// serveBody makes an http.Handler of h, for requests with a body of at most limit bytes.
func (a *api) serveBody(limit int64, h handler) http.HandlerFunc { return a.answered(atMost(limit, h)) }

func atMost(limit int64, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		if err := limitBody(w, r, limit); err != nil {
			return err
		}
		return h(w, r, v)
	}
}

// answered makes an http.Handler of h, which bounds the body itself.
func (a *api) answered(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r, a.view(r)); err != nil {
			if code := fail(w, r, err); code == http.StatusInternalServerError {
				a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, idAttr, w.Header().Get(idHeader), "error", err)
			}
		}
	}
}
