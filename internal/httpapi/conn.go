package httpapi

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// unsent bounds what the kernel takes of an answer before it can send it. Without a
// bound it takes megabytes, which leave the processor's caches before the client
// reads them: a client on the same machine gets a third fewer large indexes a
// second. A bound on the send buffer has the same effect, but a client that is 80 ms
// away then gets a fifth of its rate.
const unsent = 128 << 10

// stepBytes must get through in the server's write timeout: a reader slower than that,
// 17 KB/s, is cut, and a large archive on a slow line is not.
const stepBytes = 1 << 20

// conn extends its write deadline as the client takes an answer, and sends the head of
// an answer together with the body that follows at once. net/http sends what fits into
// its buffer first, which the client then wakes up for: with one system call in place of
// two an archive of 12 KB takes a sixth less of the server's time, and clients get a
// third more of them a second.
//
// It is a TCP or a unix connection. TLS is above it: what is joined and sent with sendfile
// is plain HTTP/1 alone, what has a deadline is every byte.
//
// Only one goroutine at a time may write to it.
type conn struct {
	net.Conn
	used      atomic.Bool  // a request came on it
	idleSince atomic.Int64 // in nanoseconds of Unix time; 0 while a request is answered
	release   func()       // called once it is closed; nil: nothing is

	timeout time.Duration // for each stepBytes of an answer
	left    int64         // bytes until the deadline is extended
	joins   bool          // the next write waits for the one behind it
	head    []byte        // what waits
	parts   [2][]byte     // of one writev
}

func (c *conn) Close() error {
	c.idleSince.Store(0)
	if c.release != nil {
		c.release()
	}
	return c.Conn.Close()
}

// CloseWrite has a client that still sends a request read the answer that refuses it.
func (c *conn) CloseWrite() error {
	if c, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (c *conn) Write(p []byte) (n int, err error) {
	if c.joins {
		c.joins = false
		c.head = append(c.head[:0], p...)
		return len(p), nil
	}
	for n < len(p) && err == nil {
		var m int
		m, err = c.write(p[n:min(len(p), n+int(c.left))])
		n += m
		c.took(int64(m))
	}
	return n, err
}

// write sends p, behind the head where one waits.
func (c *conn) write(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Write(p)
	}
	c.parts = [2][]byte{c.head, p}
	both := net.Buffers(c.parts[:])
	n, err := both.WriteTo(c.Conn)
	n -= int64(len(c.head))
	c.head = c.head[:0]
	return int(max(n, 0)), err
}

// ReadFrom sends a part of a file with sendfile, and the parts of a text with writev.
func (c *conn) ReadFrom(src io.Reader) (int64, error) {
	switch src := src.(type) {
	case *io.LimitedReader:
		return c.sendFile(src)
	case *net.Buffers:
		return c.sendParts(*src)
	}
	return io.Copy(struct{ io.Writer }{c}, src)
}

func (c *conn) sendFile(part *io.LimitedReader) (n int64, err error) {
	for part.N > 0 {
		step := &io.LimitedReader{R: part.R, N: min(part.N, c.left)}
		m, err := io.Copy(c.Conn, step) // with sendfile on TCP
		n += m
		part.N -= m
		c.took(m)
		if err != nil || step.N > 0 {
			return n, err
		}
	}
	return n, nil
}

func (c *conn) sendParts(parts net.Buffers) (n int64, err error) {
	for len(parts) > 0 && err == nil {
		k, size := 0, int64(0)
		for k < len(parts) && size+int64(len(parts[k])) <= c.left {
			size += int64(len(parts[k]))
			k++
		}
		if k == 0 { // the next is larger than what is left of the step
			m, werr := c.Write(parts[0])
			n, err, parts = n+int64(m), werr, parts[1:]
			continue
		}
		step := parts[:k]
		m, werr := step.WriteTo(c.Conn)
		n, err, parts = n+m, werr, parts[k:]
		c.took(m)
	}
	return n, err
}

// took notes that the client took n bytes more.
func (c *conn) took(n int64) {
	if c.left -= n; c.left <= 0 {
		c.left = stepBytes
		_ = c.SetWriteDeadline(time.Now().Add(c.timeout)) // fails when it is closed
	}
}

// httpBuffer is the size of net/http's buffer of a connection. A larger body has
// net/http write at least twice. Were it another size, nothing would be joined, or
// the head would wait for the last write of the answer, which always comes.
const httpBuffer = 4 << 10

type connKey struct{}

// withConn is net/http's ConnContext: it puts c where connOf finds it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf is the connection of a request over plain HTTP/1; nil when it is another's.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// below is the conn that is nc, or that TLS is on; nil: neither.
func below(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}
