package httpapi

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

const (
	// barePolicy is for what has nothing to load and nothing to run.
	barePolicy = "default-src 'none'; frame-ancestors 'none'"
	// filePolicy is for files that others wrote: an HTML or SVG file among them may
	// have its own styles, and no script.
	filePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

	// maxBody is far more than any request here needs, which is nothing.
	maxBody = 64 << 10
)

// guard makes a handler's panic a 500 and a log line, and bounds the time that a
// slow reader may take.
func (a *api) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := newResponse(w)
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if reason == http.ErrAbortHandler {
				panic(reason)
			}
			a.log.Error("handler panicked", "method", r.Method, "path", r.URL.Path,
				"reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			if out.begun {
				panic(http.ErrAbortHandler) // cut it: half an answer must not look whole
			}
			clear(w.Header())
			fail(w, r, fmt.Errorf("panic: %v", reason))
		}()
		next.ServeHTTP(out, r)
	})
}

// limitBody refuses large bodies before they are read, and cuts those that don't
// tell their size. Without a body there is nothing to do.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxBody {
			fail(w, r, errTooLarge)
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}
