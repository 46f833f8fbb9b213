package httpapi

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// limited serves f with so many connections.
func limited(t *testing.T, f *fixture, connections int) (s *Server, addr string) {
	return serve(t, f, func(s *Server) { s.limit.slots = make(chan struct{}, connections) })
}

// At the limit the connection that is idle for longest makes room.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	f := newFixture(t, Options{})
	s, addr := limited(t, f, 3)
	first, second := dial(t, addr), dial(t, addr)
	for _, c := range []net.Conn{first, second, first} { // the second is idle for longer then
		exchange(t, c, get("/charts/nova-1.0.0.tgz"))
		allIdle(t, s)
	}
	for range 2 {
		if got := exchange(t, dial(t, addr), get("/charts/nova-1.0.0.tgz")); got.Body != "nova 1.0.0" {
			t.Errorf("got %s", got.Status)
		}
	}
	if _, err := second.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the one that was idle for longest: %v, want its end", err)
	}
	for deadline := time.Now().Add(10 * time.Second); s.Connections() > 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open of 3", s.Connections())
		}
	}
	if strings.Contains(f.log.String(), "connections are busy") {
		t.Error("idle connections are said to be busy")
	}
}

// allIdle waits until the server knows that no connection has a request: it learns that
// after the client has its answer.
func allIdle(t *testing.T, s *Server) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		busy := false
		s.conns.Range(func(c, _ any) bool {
			busy = c.(*conn).idleSince.Load() == 0 && c.(*conn).used.Load()
			return !busy
		})
		if !busy {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a connection is still busy")
		}
	}
}

// Where all are busy others wait, until one ends.
func TestConnectionsWaitForRoom(t *testing.T) {
	f := newFixture(t, Options{})
	v := f.snapshot(f.write("nova-1.0.0.tgz", "nova"))
	v.Index.YAML.Data = inParts(strings.Repeat("x", 64<<20))
	f.src.p.Store(v)
	s, addr := limited(t, f, 2)
	busy := []net.Conn{dial(t, addr), dial(t, addr)}
	for _, c := range busy {
		io.WriteString(c, get("/index.yaml"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	waits := dial(t, addr)
	io.WriteString(waits, get("/nova-1.0.0.tgz", "Connection: close"))
	waits.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := waits.Read(make([]byte, 1)); n > 0 || err == io.EOF {
		t.Errorf("it got %d bytes, %v, beyond the limit", n, err)
	}
	if n := s.Connections(); n != 2 {
		t.Errorf("%d connections are open", n)
	}
	if got := strings.Count(f.log.String(), "connections are busy"); got != 1 {
		t.Errorf("it is logged %d times: %s", got, f.log)
	}
	busy[0].Close()
	waits.SetReadDeadline(time.Now().Add(20 * time.Second))
	if got, err := io.ReadAll(waits); !strings.HasSuffix(string(got), "nova") || err != nil {
		t.Errorf("then it got %q, %v", got, err)
	}
}

// One connection is enough for a server with two listeners.
func TestListenersShareTheLimit(t *testing.T) {
	f := newFixture(t, Options{})
	s, first := limited(t, f, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l, nil) }()
	for range 3 {
		for _, addr := range []string{first, l.Addr().String()} {
			if got := exchange(t, dial(t, addr), get("/charts/nova-1.0.0.tgz")); got.Body != "nova 1.0.0" {
				t.Errorf("got %s", got.Status)
			}
		}
	}
	s.Close()
	<-done
}

// A server at its limit ends as others do.
func TestShutdownAtTheLimit(t *testing.T) {
	f := newFixture(t, Options{})
	s, addr := limited(t, f, 1)
	exchange(t, dial(t, addr), get("/charts/nova-1.0.0.tgz"))
	dial(t, addr)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
	}
}
