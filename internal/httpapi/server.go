package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	headerTimeout = 10 * time.Second // for the headers of a request
	readTimeout   = 30 * time.Second // for all of a request
	writeTimeout  = 60 * time.Second // for each stepBytes of an answer
	idleTimeout   = 2 * time.Minute  // between the requests of a connection
	// lastTimeout is how long requests on open connections are still answered once
	// Shutdown was called: a client that has one open can't know that the server ends.
	lastTimeout = 250 * time.Millisecond
)

// Server serves a handler over HTTP.
type Server struct {
	http   *http.Server
	last   time.Duration // lastTimeout, but in tests
	ending atomic.Bool   // answers close their connections
	open   atomic.Int64  // connections
	silent sync.Map      // net.Conn to nothing: those that no request came on yet
}

// NewServer makes the server of h, with bounds on what a client may take: 10 s
// for its headers, 30 s for its request, 64 KiB of headers, and for the answer a
// minute a MiB (see response). Every request that is one goes to h, OPTIONS * too.
// logger gets what net/http reports; nil discards.
func NewServer(h http.Handler, logger *slog.Logger) *Server {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	s := &Server{last: lastTimeout}
	s.http = &http.Server{
		Handler:                      s.closing(h),
		DisableGeneralOptionsHandler: true,
		ConnContext:                  withConn,
		ConnState:                    s.count,
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               64 << 10,
		ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	return s
}

// Serve answers on l until Shutdown or Close; the error is http.ErrServerClosed
// then.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(listener{l}) }

// Shutdown answers what still comes within 250 ms, while a connection is open;
// then it stops listening and lets requests in flight finish, for as long as ctx
// lasts. net/http would wait five seconds for the first request of a connection.
func (s *Server) Shutdown(ctx context.Context) error {
	s.ending.Store(true)
	until := time.After(s.last)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for waiting := true; waiting && s.open.Load() > 0; {
		select {
		case <-look.C:
		case <-until:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	s.silent.Range(func(c, _ any) bool {
		c.(net.Conn).Close()
		return true
	})
	return s.http.Shutdown(ctx)
}

// Close stops at once.
func (s *Server) Close() error { return s.http.Close() }

// closing has the answers of a server that ends close their connections.
func (s *Server) closing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.ending.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// count is net/http's ConnState.
func (s *Server) count(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
		s.silent.Store(c, nil)
	case http.StateActive:
		s.silent.Delete(c)
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
		s.silent.Delete(c)
	}
}
