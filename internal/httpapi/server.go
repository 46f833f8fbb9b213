package httpapi

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Server serves a handler over HTTP.
type Server struct {
	http *http.Server
	lane *lane // nil: everything goes through net/http
}

// NewServer makes the server of h, with bounds on what a client may take: 10 s
// for its headers, 30 s for its request, 64 KiB of headers, and for the answer a
// minute a MiB (see response). Where h is what New made, with nothing around it,
// the plainest requests take the express lane. logger gets what net/http reports;
// nil discards.
func NewServer(h http.Handler, logger *slog.Logger) *Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{http: &http.Server{
		Handler:           h,
		ConnContext:       boundBuffer,
		ReadHeaderTimeout: firstWait,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      stepTime,
		IdleTimeout:       nextWait,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}}
	if a, ok := h.(*api); ok {
		s.lane = newLane(a)
	}
	return s
}

// Serve answers on l until Shutdown or Close; the error is http.ErrServerClosed
// then.
func (s *Server) Serve(l net.Listener) error {
	if s.lane != nil {
		l = s.lane.listen(l)
	}
	return s.http.Serve(l)
}

// Shutdown stops listening and lets requests in flight finish, for as long as ctx
// lasts.
func (s *Server) Shutdown(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return s.http.Shutdown(ctx) })
	if s.lane != nil {
		g.Go(func() error { return s.lane.shutdown(ctx) })
	}
	return g.Wait()
}

// Close stops at once.
func (s *Server) Close() error {
	err := s.http.Close()
	if s.lane != nil {
		s.lane.close()
	}
	return err
}

// firstWait is how long a new connection may take for its headers, nextWait how
// long one that was answered may be silent, lastWait how long a request may still
// come at the end.
const (
	firstWait = 10 * time.Second
	nextWait  = 2 * time.Minute
	lastWait  = 100 * time.Millisecond
)

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
