package httpapi

import (
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"
)

// limit bounds the connections of all listeners of a server. At the bound the connection
// that is idle for longest makes room for the next one; where none is idle, that one
// waits, and those behind it do in the kernel.
type limit struct {
	slots  chan struct{}
	idlest func() *conn // nil: none is idle
	log    *slog.Logger

	mu     sync.Mutex
	warned time.Time
}

const (
	roomEvery = 50 * time.Millisecond // how often room is looked for
	warnEvery = time.Minute
)

// acquire waits for room; false: done was closed before there was any.
func (l *limit) acquire(done <-chan struct{}) bool {
	for {
		select {
		case l.slots <- struct{}{}:
			return true
		default:
		}
		if c := l.idlest(); c != nil {
			c.Close()
		} else {
			l.warn()
		}
		select {
		case l.slots <- struct{}{}:
			return true
		case <-done:
			return false
		case <-time.After(roomEvery):
		}
	}
}

func (l *limit) warn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.warned) > warnEvery {
		l.warned = now
		l.log.Warn("all connections are busy; others wait", "connections", cap(l.slots))
	}
}

// listener makes each connection a conn, with TLS above it where it is secure, and keeps
// the server's limit.
type listener struct {
	net.Listener
	secure  func() *tls.Config // nil: no TLS
	limit   *limit
	timeout time.Duration
	done    chan struct{} // closed by Close
	closing sync.Once
}

// Accept waits for room, not for the client: the goroutine that answers shakes hands.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.limit.acquire(l.done) {
		nc.Close()
		return nil, net.ErrClosed
	}
	if t, ok := nc.(*net.TCPConn); ok {
		boundUnsent(t)
	}
	release := sync.OnceFunc(func() { <-l.limit.slots })
	c := &conn{Conn: nc, release: release, timeout: l.timeout, left: stepBytes}
	if l.secure == nil {
		return c, nil
	}
	return tls.Server(c, l.secure()), nil
}

func (l *listener) Close() error {
	l.closing.Do(func() { close(l.done) })
	return l.Listener.Close()
}
