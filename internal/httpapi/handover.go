package httpapi

import (
	"errors"
	"net"
)

// laneListener is where net/http takes connections that the lane hands over.
type laneListener struct {
	net.Listener
	lane   *lane
	conns  chan accepted
	closed chan struct{}
}

type accepted struct {
	conn net.Conn
	err  error
}

// listen lets the connections of l enter the lane.
func (l *lane) listen(inner net.Listener) net.Listener {
	ll := &laneListener{Listener: inner, lane: l, conns: make(chan accepted), closed: make(chan struct{})}
	go ll.run()
	return ll
}

func (ll *laneListener) run() {
	defer close(ll.closed)
	for {
		conn, err := ll.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			ll.conns <- accepted{nil, err} // net/http knows what to do, and how long to wait
			continue
		}
		go ll.enter(conn)
	}
}

// enter takes one connection through the lane.
func (ll *laneListener) enter(conn net.Conn) {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		ll.handOver(conn)
		return
	}
	c, ok := ll.lane.enter(t)
	if !ok {
		conn.Close()
		return
	}
	if c.serve() {
		ll.handOver(&handed{TCPConn: t, read: c.in})
	}
}

func (ll *laneListener) handOver(conn net.Conn) {
	select {
	case ll.conns <- accepted{conn, nil}:
	case <-ll.closed:
		conn.Close()
	}
}

// Accept gives net/http the next connection that was handed over.
func (ll *laneListener) Accept() (net.Conn, error) {
	select {
	case a := <-ll.conns:
		return a.conn, a.err
	case <-ll.closed:
		return nil, net.ErrClosed
	}
}

// handed is a connection of which something was read already.
type handed struct {
	*net.TCPConn
	read []byte
}

func (c *handed) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil
	}
	return n, nil
}
