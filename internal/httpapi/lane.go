package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// The express lane answers the plainest requests, which are nearly all that a
// chart repository gets, without net/http: a GET of the index or of a small
// archive, with no header that asks for anything special. Whatever else a
// connection brings first is handed to net/http, with the connection, for good.
// What the lane answers is, but for the order of headers, what the handlers
// answer; a test compares them.
//
// It is there for speed alone: it takes about a third of the time, most of which
// net/http spends on the generality that these requests have no use for.
type lane struct {
	api *api
	log *slog.Logger
	// first is how long a new connection may be silent, next one that was answered,
	// step how long a client may take for stepBytes, last how long a request may still
	// come when the lane ends: one that is on its way is answered.
	first, next, step, last time.Duration

	mu    sync.Mutex
	conns map[*laneConn]struct{}
	ended bool // no more requests are begun
	done  sync.WaitGroup
	date  date
}

func newLane(a *api) *lane {
	return &lane{api: a, log: a.log, first: firstWait, next: nextWait, step: stepTime, last: lastWait, conns: map[*laneConn]struct{}{}}
}

// laneConn is a connection in the lane.
type laneConn struct {
	*net.TCPConn
	lane *lane

	in      []byte // what was read and not used yet
	out     []byte // for the head of an answer
	one     [1][]byte
	buffers net.Buffers // for send
	// reads and writes are the deadlines.
	reads, writes time.Time
}

// laneBuffer holds a request of the lane; one that is longer is not for it.
const laneBuffer = 4 << 10

// enter takes a new connection in; false: the lane has ended.
func (l *lane) enter(c *net.TCPConn) (*laneConn, bool) {
	_ = c.SetWriteBuffer(writeBuffer) // slower without it, no more
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, false
	}
	lc := &laneConn{TCPConn: c, lane: l, in: make([]byte, 0, laneBuffer), out: make([]byte, 0, 1024)}
	l.conns[lc] = struct{}{}
	l.done.Add(1)
	return lc, true
}

func (l *lane) leave(c *laneConn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	l.done.Done()
}

// rest gives c time for its next request; false: the lane has ended. Deadlines are moved only when half of the time has gone: this is done
// for each request, and moving them costs as much as a good part of it.
func (l *lane) rest(c *laneConn, wait time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	if now := time.Now(); c.reads.Sub(now) < wait/2 {
		c.reads = now.Add(wait)
		return c.SetReadDeadline(c.reads) == nil
	}
	return true
}

// serve answers requests until one is not for the lane: then it gives true, and
// what was read of it is in c.in. False: the connection is done with, and closed.
func (c *laneConn) serve() (handOver bool) {
	defer c.lane.leave(c)
	defer func() {
		if reason := recover(); reason != nil {
			c.lane.log.Error("handler panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
			c.Close()
		}
	}()
	for wait := c.lane.first; c.lane.rest(c, wait) && c.read(); wait = c.lane.next {
		for len(c.in) > 0 {
			q, n := parsePlain(c.in)
			if n == 0 {
				return true
			}
			body, ok := c.answer(q, c.lane.api.src.Snapshot())
			if !ok {
				return true
			}
			if c.send(body) != nil {
				c.Close()
				return false
			}
			c.in = c.in[:copy(c.in, c.in[n:])]
		}
	}
	c.Close()
	return false
}

// read waits for the next bytes.
func (c *laneConn) read() bool {
	n, err := c.TCPConn.Read(c.in[:cap(c.in)])
	c.in = c.in[:n]
	return n > 0 && err == nil
}

// send writes the head in c.out and a body, as fast as response lets slow readers
// have it.
func (c *laneConn) send(body [][]byte) error {
	step, left := append(c.buffers[:0], c.out), stepBytes
	for _, part := range body {
		for len(part) > left {
			step = append(step, part[:left])
			if err := c.write(step); err != nil {
				return err
			}
			step, part, left = step[:0], part[left:], stepBytes
		}
		step, left = append(step, part), left-len(part)
	}
	err := c.write(step)
	// What waits for a request holds no archive, and few buffers.
	clear(c.one[:])
	if c.buffers = step[:0]; cap(step) > 64 {
		c.buffers = nil
	}
	return err
}

// write writes one step of an answer.
func (c *laneConn) write(step net.Buffers) error {
	if err := c.extend(); err != nil {
		return err
	}
	_, err := step.WriteTo(c.TCPConn)
	return err
}

// extend gives the next step of an answer its time, or up to twice that.
func (c *laneConn) extend() error {
	now := time.Now()
	if c.writes.Sub(now) >= c.lane.step {
		return nil
	}
	c.writes = now.Add(2 * c.lane.step)
	return c.SetWriteDeadline(c.writes)
}

// shutdown lets the answers in flight finish, and closes what waits for requests.
func (l *lane) shutdown(ctx context.Context) error {
	l.mu.Lock()
	l.ended = true
	for c := range l.conns {
		_ = c.SetReadDeadline(time.Now().Add(l.last)) // fails where it is closed
	}
	l.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		l.done.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close cuts every connection.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for c := range l.conns {
		c.Close()
	}
}
