package httpapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"log"
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
	// maxStreams bounds the requests that one HTTP/2 connection has in flight.
	maxStreams = 100
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
	end    chan struct{} // closed when that is set; see endOf
	conns  sync.Map      // *conn to nothing: those that are open
}

// NewServer makes the server of h, with bounds on what clients may take: so many
// connections, and of one of them 10 s for its handshake, 10 s for its headers, 30 s for
// its request, 64 KiB of headers, and for the answer a minute a MiB (see conn and stream);
// with HTTP/2, 100 requests at once. Every request that is one goes to h, OPTIONS * too.
// logger gets what net/http reports; nil discards.
func NewServer(h http.Handler, connections int, logger *slog.Logger) *Server {
	logger = cmp.Or(logger, slog.New(slog.DiscardHandler))
	s := &Server{last: lastTimeout, end: make(chan struct{})}
	s.limit = &limit{slots: make(chan struct{}, connections), idlest: s.idlest, log: logger}
	s.http = &http.Server{
		Handler:                      s.closing(h),
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return context.WithValue(context.Background(), endKey{}, s.end) },
		ConnContext:                  withConn,
		ConnState:                    s.note,
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               64 << 10,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: writeTimeout},
		ErrorLog:                     log.New(reports{logger}, "", 0),
	}
	return s
}

// Serve answers on l until Shutdown or Close; the error is http.ErrServerClosed
// then. secure is asked for the TLS of each connection; nil is plain HTTP. Its NextProtos
// decide about HTTP/2.
func (s *Server) Serve(l net.Listener, secure func() *tls.Config) error {
	return s.http.Serve(&listener{Listener: l, secure: secure, limit: s.limit, timeout: s.http.WriteTimeout, done: make(chan struct{})})
}

// Shutdown answers what still comes within 250 ms, while a connection is open;
// then it stops listening and lets requests in flight finish, for as long as ctx
// lasts. net/http would wait five seconds for the first request of a connection.
func (s *Server) Shutdown(ctx context.Context) error {
	if !s.ending.Swap(true) {
		close(s.end)
	}
	last, cancel := context.WithTimeout(ctx, s.last)
	defer cancel()
	for last.Err() == nil && s.Connections() > 0 {
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
			w.Header().Set("Connection", "close") // with HTTP/2 it ends the connection too
		}
		if r.ProtoMajor == 2 {
			w = &stream{ResponseWriter: w, timeout: s.http.WriteTimeout, left: stepBytes}
		}
		h.ServeHTTP(w, r)
	})
}

// note is net/http's ConnState.
func (s *Server) note(nc net.Conn, state http.ConnState) {
	c := below(nc)
	if c == nil {
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

// Connections counts those that are open.
func (s *Server) Connections() (n int) {
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
