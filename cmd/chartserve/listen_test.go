package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
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
			l, err := listen(t.Context(), "--address", c.address)
			if err == nil {
				l.close()
				t.Fatal("got no error")
			}
			if got := errors.As(err, new(usageError)); got != c.usage {
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
	l, err := listen(t.Context(), "--address", address)
	if err == nil {
		l.close()
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
			l := &address{host: "localhost", port: c.port}
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
				l.close() // as listen does
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
		l       address
		context string
		base    string
		remote  bool
		own     []string
	}{
		"localhost": {address{host: "localhost", port: 8879}, "/charts", "http://localhost:8879/charts", false,
			[]string{"http://localhost:8879/charts", "http://127.0.0.1:8879/charts", "http://[::1]:8879/charts"}},
		"every interface": {address{port: 8879}, "/charts", "http://localhost:8879/charts", true,
			[]string{"http://localhost:8879/charts"}},
		"unspecified": {address{host: "0.0.0.0", port: 8879}, "/charts", "http://localhost:8879/charts", true,
			[]string{"http://127.0.0.1:8879/charts"}},
		"unspecified v6": {address{host: "::", port: 1}, "/charts", "http://localhost:1/charts", true, nil},
		"one address":    {address{host: "10.0.0.5", port: 80}, "/", "http://10.0.0.5:80", false, []string{"http://10.0.0.5:80"}},
		"one v6 address": {address{host: "::1", port: 80}, "/a/b", "http://[::1]:80/a/b", false, []string{"http://[::1]:80/a/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &listeners{addresses: []*address{&c.l}}
			if got := l.baseURL(c.context); got != c.base {
				t.Errorf("base URL: got %q, want %q", got, c.base)
			}
			if got := l.remoteURL(c.context) != ""; got != c.remote {
				t.Errorf("remote URL: got one %v, want one %v", got, c.remote)
			}
			got := l.ownURLs(c.context)
			for _, want := range c.own {
				if !slices.Contains(got, want) {
					t.Errorf("own URLs: got %q, want %q among them", got, want)
				}
			}
		})
	}
}

// Who reads no answer keeps no scrape for ever.
func TestBesideServerIsBounded(t *testing.T) {
	s := besideServer(nil)
	for name, d := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if d <= 0 || d > 2*time.Minute {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestDebugAddress: profiles are on a loopback address or not at all.
func TestDebugAddress(t *testing.T) {
	for address, allowed := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, ":0": false, "0.0.0.0:0": false, "[::]:0": false} {
		d, err := listenDebug(t.Context(), address)
		if d != nil {
			d.Close()
		}
		if (err == nil) != allowed {
			t.Errorf("%s: error %v, allowed: %v", address, err, allowed)
		}
		if err != nil && !strings.Contains(err.Error(), "localhost") {
			t.Errorf("%s: %v does not say what to write", address, err)
		}
	}
}
