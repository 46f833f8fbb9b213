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
	limit  *limit
	last   time.Duration // lastTimeout, but in tests
	ending atomic.Bool   // answers close their connections
	conns  sync.Map      // *conn to nothing: those that are open
}

// NewServer makes the server of h, with bounds on what clients may take: so many
// connections, and of one of them 10 s for its headers, 30 s for its request, 64 KiB of
// headers, and for the answer a minute a MiB (see conn). Every request that is one goes
// to h, OPTIONS * too. logger gets what net/http reports; nil discards.
func NewServer(h http.Handler, connections int, logger *slog.Logger) *Server {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	s := &Server{last: lastTimeout}
	s.limit = &limit{slots: make(chan struct{}, connections), idlest: s.idlest, log: logger}
	s.http = &http.Server{
		Handler:                      s.closing(h),
		DisableGeneralOptionsHandler: true,
		ConnContext:                  withConn,
		ConnState:                    s.note,
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
func (s *Server) Serve(l net.Listener) error {
	return s.http.Serve(&listener{Listener: l, limit: s.limit, timeout: s.http.WriteTimeout, done: make(chan struct{})})
}

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
	s.conns.Range(func(c, _ any) bool {
		if c := c.(*conn); !c.used.Load() {
			c.Close()
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

// note is net/http's ConnState.
func (s *Server) note(nc net.Conn, state http.ConnState) {
	c, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateNew:
		s.conns.Store(c, nil)
	case http.StateActive:
		c.used.Store(true)
		c.idleSince.Store(0)
	case http.StateIdle:
		c.idleSince.Store(time.Now().UnixNano())
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

// idlest is the connection that waits for its next request for longest; nil: none does.
func (s *Server) idlest() (found *conn) {
	s.conns.Range(func(c, _ any) bool {
		since := c.(*conn).idleSince.Load()
		if since > 0 && (found == nil || since < found.idleSince.Load()) {
			found = c.(*conn)
		}
		return true
	})
	return found
}
