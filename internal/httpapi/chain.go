package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"syscall"
	"time"
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

// observe has all that follows write to a response, and logs an answer that an
// error cut off. It is first in the chain.
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &response{ResponseWriter: w, request: r}
		defer func() {
			if err := out.failure(); err != nil && !clientWent(err) {
				a.log.Error("answer cut off", "method", r.Method, "path", r.URL.Path, "bytes", out.bytes, "error", err)
			}
		}()
		next.ServeHTTP(out, r)
	})
}

// clientWent reports whether err is the client's doing: it closed the connection,
// or took too long.
func clientWent(err error) bool {
	var n net.Error
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &n) && n.Timeout()
}

// accessLog logs each request once it is answered.
func (a *api) accessLog(proxies []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out, start := w.(*response), time.Now()
			defer func() {
				a.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
					slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
					slog.Int("status", out.status), slog.Int64("bytes", out.bytes),
					slog.Float64("milliseconds", float64(time.Since(start).Microseconds())/1000),
					slog.String("client", clientOf(r, proxies)), slog.String("agent", r.UserAgent()))
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
			a.log.Error("handler panicked", "method", r.Method, "path", r.URL.Path,
				"reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			if w.(*response).status != 0 {
				panic(http.ErrAbortHandler) // cut it: half an answer must not look whole
			}
			clear(w.Header())
			fail(w, r, fmt.Errorf("panic: %v", reason))
		}()
		next.ServeHTTP(w, r)
		w.(*response).begin(http.StatusOK) // as net/http for who answered nothing
	})
}

// limitBody refuses large bodies before they are read, and cuts those that don't
// announce their size. Without a body there is nothing to do.
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
