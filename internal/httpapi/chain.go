package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/accesslog"
)

const (
	// barePolicy is for what has nothing to load and nothing to run.
	barePolicy = "default-src 'none'; frame-ancestors 'none'"
	// filePolicy is for files that others wrote: an HTML or SVG file among them may
	// have its own styles, and no script.
	filePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
)

// observe has all that follows write to a response, which has the request's id, and logs
// an answer that an error cut off. It is first in the chain.
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &response{ResponseWriter: w, request: r, start: time.Now(), id: [1]string{idOf(r)}}
		out.Header()[idHeader] = out.id[:]
		defer func() {
			if err := out.failure(); err != nil && !clientWent(r, err) {
				a.log.Error("answer cut off", "method", r.Method, "path", r.URL.Path, "bytes", out.bytes, idAttr, out.id[0], "error", err)
			}
		}()
		next.ServeHTTP(out, r)
	})
}

// clientWent reports whether err is the client's doing: it closed the connection,
// or took too long. Of a stream that was reset only the context of r tells.
func clientWent(r *http.Request, err error) bool {
	var n net.Error
	return r.Context().Err() != nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &n) && n.Timeout()
}

// accessLog has write get each request once it is answered.
func accessLog(write func(*accesslog.Request), proxies []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := w.(*response)
			defer func() {
				write(&accesslog.Request{
					Time: out.start, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Proto: r.Proto,
					Status: out.status, Bytes: out.bytes, Milliseconds: float64(time.Since(out.start).Microseconds()) / 1000,
					Client: clientOf(r, proxies), User: out.user, Agent: r.UserAgent(), Referer: r.Referer(), ID: out.id[0],
				})
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// count tells o of each request once it is answered.
func (a *api) count(o Observer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := w.(*response)
			defer func() {
				o.Answered(a.known(out.repository), chi.RouteContext(r.Context()).RoutePattern(), r.Method, out.status, out.bytes, time.Since(out.start))
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// recoverPanics makes a panic a 500 and a log line.
func (a *api) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if reason == http.ErrAbortHandler {
				panic(reason)
			}
			out := w.(*response)
			a.log.Error("handler panicked", "method", r.Method, "path", r.URL.Path, idAttr, out.id[0],
				"reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			if out.status != 0 {
				panic(http.ErrAbortHandler) // cut it: half an answer must not look whole
			}
			clear(w.Header())
			w.Header()[idHeader] = out.id[:]
			fail(w, r, fmt.Errorf("panic: %v", reason))
		}()
		next.ServeHTTP(w, r)
		w.(*response).begin(http.StatusOK) // as net/http for who answered nothing
	})
}
