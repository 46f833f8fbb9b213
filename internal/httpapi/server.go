package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer makes the server of h, with bounds on what a client may take: 10 s
// for its headers, 30 s for its request, 64 KiB of headers, and for the answer a
// minute a MiB (see response). logger gets what net/http reports; nil discards.
func NewServer(h http.Handler, logger *slog.Logger) *http.Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      stepTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
