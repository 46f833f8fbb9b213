package httpapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

// AccessLog logs each request that h answered. It costs a log line and a wrapped
// ResponseWriter a request, so it is put around the handler only on request.
func AccessLog(h http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			logger.Info("request", "method", r.Method, "path", r.URL.EscapedPath(), "status", ww.Status(), "bytes", ww.BytesWritten(),
				"milliseconds", float64(time.Since(start).Microseconds())/1000, "client", r.RemoteAddr, "agent", r.UserAgent())
		}()
		h.ServeHTTP(ww, r)
	})
}
