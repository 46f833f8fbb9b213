package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Shutdown lets answers finish, answers what has come, and waits for nobody else.
func TestShutdown(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
	s.Index.YAML.Data = inParts(strings.Repeat("x", 32<<20))
	f.src.p.Store(s)
	server, addr := serve(t, f)
	idle, silent, busy := dial(t, addr), dial(t, addr), dial(t, addr)
	exchange(t, idle, get("/charts/nova-1.0.0.tgz"))
	io.WriteString(busy, get("/index.yaml"))
	r := bufio.NewReader(busy)
	if _, err := r.Peek(1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	start := time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- server.Shutdown(ctx)
	}()
	for _, c := range []net.Conn{idle, silent} {
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a connection without a request got %d bytes, %v", n, err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("connections without a request were closed after %v", took)
	}
	if got := readAnswer(t, r, "GET"); len(got.Body) != 32<<20 {
		t.Errorf("%d bytes of the answer in flight came", len(got.Body))
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("it still listens")
	}
}

// What came before the end is answered; a client in the middle of an answer does
// not hold up the end for longer than was asked for.
func TestShutdownInTime(t *testing.T) {
	f := newFixture(t, Options{})
	s := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
	s.Index.YAML.Data = inParts(strings.Repeat("x", 64<<20))
	f.src.p.Store(s)
	server, addr := serve(t, f, func(s *Server) { s.last = time.Second }) // other work may share the machine
	stuck, late := dial(t, addr), dial(t, addr)
	exchange(t, late, get("/charts/nova-1.0.0.tgz"))
	io.WriteString(stuck, get("/index.yaml"))
	if _, err := io.ReadFull(stuck, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- server.Shutdown(ctx) }()
	if got := exchange(t, late, get("/charts/nova-1.0.0.tgz")); got.Body != "nova" {
		t.Errorf("got %q", got.Body)
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want that it ran out of time", err)
	}
	server.Close()
	if n, _ := io.Copy(io.Discard, stuck); n >= 64<<20 {
		t.Error("the stuck client got everything")
	}
}

// Requests on open connections, and on new ones, are answered for a moment after
// the end began; each answer is its connection's last. The moment ends early when
// no connection is left.
func TestRequestsAtTheEnd(t *testing.T) {
	f := newFixture(t, Options{})
	server, addr := serve(t, f, func(s *Server) { s.last = 10 * time.Second })
	kept := dial(t, addr)
	if got := exchange(t, kept, get("/charts/nova-1.0.0.tgz")); got.Close {
		t.Error("an answer before the end closes its connection")
	}
	done := make(chan error, 1)
	start := time.Now()
	go func() { done <- server.Shutdown(t.Context()) }()
	for !server.ending.Load() {
		time.Sleep(time.Millisecond)
	}
	fresh := dial(t, addr)
	for server.Connections() < 2 { // or Shutdown may find none between the two
		time.Sleep(time.Millisecond)
	}
	for name, c := range map[string]net.Conn{"open": kept, "new": fresh} {
		r := bufio.NewReader(c)
		io.WriteString(c, get("/charts/nova-1.0.0.tgz"))
		if got := readAnswer(t, r, "GET"); got.Body != "nova 1.0.0" || !got.Close {
			t.Errorf("%s connection: got %s %q, the last: %v", name, got.Status, got.Body, got.Close)
		}
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("%s connection: not closed: %v", name, err)
		}
	}
	if err := <-done; err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("Shutdown: %v after %v, although no connection was left", err, time.Since(start))
	}
}

// Without a connection the end takes no time.
func TestShutdownOfAnIdleServer(t *testing.T) {
	f := newFixture(t, Options{})
	server, _ := serve(t, f, func(s *Server) { s.last = time.Hour })
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
