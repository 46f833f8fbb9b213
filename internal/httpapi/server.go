package httpapi

import (
	"context"
	"log/slog"
	"net"
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
		ConnContext:       boundBuffer,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      stepTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// writeBuffer is how much of an answer the kernel holds for a connection. Left to
// itself it grows to megabytes, which leave the processor's caches before the
// client reads them, and which a thousand slow clients would all have.
const writeBuffer = 256 << 10

func boundBuffer(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(writeBuffer) // slower without it, no more
	}
	return ctx
}
