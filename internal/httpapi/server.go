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
	conns  sync.Map      // net.Conn to whether a request came on it
}

// NewServer makes the server of h, with bounds on what a client may take: 10 s
// for its headers, 30 s for its request, 64 KiB of headers, and for the answer a
// minute a MiB (see conn). Every request that is one goes to h, OPTIONS * too.
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
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(listener{l, s.http.WriteTimeout}) }

// Shutdown answers what still comes within 250 ms, while a connection is open;
// then it stops listening and lets requests in flight finish, for as long as ctx
// lasts. net/http would wait five seconds for the first request of a connection.
func (s *Server) Shutdown(ctx context.Context) error {
	s.ending.Store(true)
	last, cancel := context.WithTimeout(ctx, s.last)
	defer cancel()
	for last.Err() == nil && s.open() > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	s.conns.Range(func(c, used any) bool {
		if !used.(bool) {
			c.(net.Conn).Close()
		}
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
		s.conns.Store(c, false)
	case http.StateActive:
		s.conns.CompareAndSwap(c, false, true)
	case http.StateClosed, http.StateHijacked:
		s.conns.Delete(c)
	}
}

// open counts connections.
func (s *Server) open() (n int) {
	s.conns.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}
