package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, c := range map[string]struct {
		address string
		usage   bool
		want    []string
	}{
		"no port":         {"localhost", true, []string{"localhost:8879", ":8879 for every interface"}},
		"port alone":      {"8879", true, []string{"HOST:PORT"}},
		"url":             {"http://localhost:8879", true, []string{"HOST:PORT"}},
		"port too large":  {"localhost:99999", true, []string{`"99999" is not a port`}},
		"service unknown": {"localhost:nosuchservice", true, []string{`"nosuchservice" is not a port`}},
		"in use":          {fmt.Sprintf("localhost:%d", port), false, []string{"in use", "another chartserve", "--address localhost:0", fmt.Sprintf(":%d", port)}},
		"in use, plain":   {fmt.Sprintf("127.0.0.1:%d", port), false, []string{"in use"}},
		"not ours":        {"203.0.113.1:0", false, []string{"not an address of this machine"}},
		"no such host":    {"no.such.host.invalid:0", false, []string{"not an address of this machine"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Open(t.Context(), "--address", c.address)
			if err == nil {
				l.Close()
				t.Fatal("got no error")
			}
			if got := errors.As(err, new(ValueError)); got != c.usage {
				t.Errorf("usage error: got %v, want %v (%v)", got, c.usage, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to hold %q", err, want)
				}
			}
		})
	}
}

// Someone who holds the port on ::1 alone would get the clients that try ::1
// first, so that is an error too.
func TestListenTakenOnIPv6(t *testing.T) {
	taken, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no ::1 here")
	}
	defer taken.Close()
	address := fmt.Sprintf("localhost:%d", taken.Addr().(*net.TCPAddr).Port)
	l, err := Open(t.Context(), "--address", address)
	if err == nil {
		l.Close()
		t.Fatal("got no error")
	}
	if want := address + " is in use"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to hold %q", err, want)
	}
}

// What machines without one of the addresses do, and ports that are taken on ::1
// alone.
func TestLoopback(t *testing.T) {
	bind := func(errno syscall.Errno) error {
		return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errno)}
	}
	always := func(err error) func(int) error { return func(int) error { return err } }
	fine := always(nil)
	for name, c := range map[string]struct {
		port    int
		v4, v6  func(try int) error
		sockets int // open in the end
		opened  int // sockets of IPv4 that were opened on the way
		err     error
	}{
		"both":           {0, fine, fine, 2, 1, nil},
		"no ::1":         {0, fine, always(bind(syscall.EADDRNOTAVAIL)), 1, 1, nil},
		"no IPv6":        {0, fine, always(bind(syscall.EAFNOSUPPORT)), 1, 1, nil},
		"no IPv4":        {0, always(bind(syscall.EAFNOSUPPORT)), fine, 1, 0, nil},
		"neither":        {0, always(bind(syscall.EADDRNOTAVAIL)), always(bind(syscall.EAFNOSUPPORT)), 0, 0, syscall.EADDRNOTAVAIL},
		"a port refused": {8879, fine, always(bind(syscall.EADDRINUSE)), 0, 1, syscall.EADDRINUSE},
		"third time":     {0, fine, func(try int) error { return map[bool]error{true: bind(syscall.EADDRINUSE)}[try < 3] }, 2, 3, nil},
		"never":          {0, fine, always(bind(syscall.EADDRINUSE)), 0, anyPortTries, syscall.EADDRINUSE},
		"other error":    {0, fine, always(bind(syscall.ENOBUFS)), 0, 1, syscall.ENOBUFS},
	} {
		t.Run(name, func(t *testing.T) {
			tries := map[string]int{}
			opened, open := 0, 0
			l := &Address{Host: "localhost", Port: c.port}
			l.socket = func(_ context.Context, network, _ string) (net.Listener, error) {
				tries[network]++
				answer := map[string]func(int) error{"tcp4": c.v4, "tcp6": c.v6}[network]
				if err := answer(tries[network]); err != nil {
					return nil, err
				}
				if network == "tcp4" {
					opened++
				}
				open++
				return &fakeSocket{port: 40000 + opened, open: &open}, nil
			}
			err := l.loopback(t.Context())
			if !errors.Is(err, c.err) {
				t.Errorf("got error %v, want %v", err, c.err)
			}
			if err != nil {
				l.Close() // as listen does
			}
			if open != c.sockets || opened != c.opened {
				t.Errorf("got %d sockets open and %d opened, want %d and %d", open, opened, c.sockets, c.opened)
			}
		})
	}
}

// fakeSocket is a listener that only counts whether it is open.
type fakeSocket struct {
	net.Listener
	port int
	open *int
}

func (s *fakeSocket) Addr() net.Addr { return &net.TCPAddr{Port: s.port} }
func (s *fakeSocket) Close() error   { *s.open--; return nil }

func TestListenError(t *testing.T) {
	wrap := func(errno syscall.Errno) error {
		return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errno)}
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"privileged": {wrap(syscall.EACCES), "ports below 1024"},
		"in use":     {wrap(syscall.EADDRINUSE), "in use"},
		"other":      {wrap(syscall.ENOBUFS), "listen on localhost:80:"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := listenError("--address", "localhost:80", c.err).Error(); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want it to hold %q", got, c.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		l       Address
		context string
		base    string
		remote  bool
		own     []string
	}{
		"localhost": {Address{Host: "localhost", Port: 8879}, "/charts", "http://localhost:8879/charts", false,
			[]string{"http://localhost:8879/charts", "http://127.0.0.1:8879/charts", "http://[::1]:8879/charts"}},
		"every interface": {Address{Port: 8879}, "/charts", "http://localhost:8879/charts", true,
			[]string{"http://localhost:8879/charts"}},
		"unspecified": {Address{Host: "0.0.0.0", Port: 8879}, "/charts", "http://localhost:8879/charts", true,
			[]string{"http://127.0.0.1:8879/charts"}},
		"unspecified v6": {Address{Host: "::", Port: 1}, "/charts", "http://localhost:1/charts", true, nil},
		"one address":    {Address{Host: "10.0.0.5", Port: 80}, "/", "http://10.0.0.5:80", false, []string{"http://10.0.0.5:80"}},
		"one v6 address": {Address{Host: "::1", Port: 80}, "/a/b", "http://[::1]:80/a/b", false, []string{"http://[::1]:80/a/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Listeners{Addresses: []*Address{&c.l}}
			if got := l.BaseURL(c.context); got != c.base {
				t.Errorf("base URL: got %q, want %q", got, c.base)
			}
			if got := l.RemoteURL(c.context) != ""; got != c.remote {
				t.Errorf("remote URL: got one %v, want one %v", got, c.remote)
			}
			got := l.OwnURLs(c.context)
			for _, want := range c.own {
				if !slices.Contains(got, want) {
					t.Errorf("own URLs: got %q, want %q among them", got, want)
				}
			}
		})
	}
}

// Many servers that ask for any port at once all get one on both addresses.
func TestAnyPort(t *testing.T) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	ports := map[int]bool{}
	for range 50 {
		wg.Go(func() {
			l, err := Open(t.Context(), "--address", "localhost:0")
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(l.Close)
			mu.Lock()
			defer mu.Unlock()
			if ports[l.Port] {
				t.Errorf("port %d was given twice", l.Port)
			}
			ports[l.Port] = true
		})
	}
	wg.Wait()
}
