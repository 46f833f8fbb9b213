package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// unixPrefix is before the path of a unix socket.
const unixPrefix = "unix:"

// address is what one --address names, with its sockets.
type address struct {
	sockets []net.Listener
	// host is what --address named, empty for every interface; port is real,
	// also where --address asked for port 0.
	host string
	port int
	path string // of a unix socket; empty: TCP
	// socket opens one; net's own, but in tests.
	socket func(ctx context.Context, network, address string) (net.Listener, error)
}

// listen opens the sockets for text, HOST:PORT or unix:PATH, which is the value of flag.
// For the host localhost these are 127.0.0.1 and, where there is one, ::1, whatever the
// hosts file says: clients differ in which of the two they try.
func listen(ctx context.Context, flag, text string) (*address, error) {
	if path, ok := strings.CutPrefix(text, unixPrefix); ok && flag == "--address" {
		if path == "" || path[0] == '@' { // an abstract one, which everybody may connect to
			return nil, usagef("invalid value %q for --address: write the path of a file behind unix:", text)
		}
		s, err := listenUnix(ctx, path)
		if err != nil {
			return nil, listenError(flag, text, err)
		}
		return &address{path: path, sockets: []net.Listener{s}}, nil
	}
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return nil, usagef("invalid value %q for %s: write HOST:PORT, such as localhost:8879, or :8879 for every interface", text, flag)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, usagef("invalid value %q for %s: %q is not a port (0 to 65535)", text, flag, service)
	}
	a := &address{host: host, port: port, socket: new(net.ListenConfig).Listen}
	if host == "localhost" {
		err = a.loopback(ctx)
	} else {
		err = a.open(ctx, "tcp", host)
	}
	if err != nil {
		a.close()
		return nil, listenError(flag, text, err)
	}
	return a, nil
}

// anyPortTries bounds how often another port is picked: one that the kernel finds
// free on the one loopback address may be taken on the other.
const anyPortTries = 20

// loopback listens on both loopback addresses, on one port.
func (a *address) loopback(ctx context.Context) error {
	port := a.port
	for try := 1; ; try++ {
		err := a.open(ctx, "tcp4", "127.0.0.1")
		if err != nil && !noSuchAddress(err) {
			return err
		}
		err6 := a.open(ctx, "tcp6", "::1")
		switch {
		case err6 == nil:
			return nil
		case noSuchAddress(err6):
			return err // none where 127.0.0.1 is there
		case port != 0 || try == anyPortTries || !errors.Is(err6, syscall.EADDRINUSE):
			return err6
		}
		a.close()
		a.sockets, a.port = nil, 0
	}
}

// open adds one socket, on a.port; where that is 0 it becomes the one picked.
func (a *address) open(ctx context.Context, network, host string) error {
	s, err := a.socket(ctx, network, net.JoinHostPort(host, strconv.Itoa(a.port)))
	if err != nil {
		return err
	}
	a.sockets = append(a.sockets, s)
	a.port = s.Addr().(*net.TCPAddr).Port
	return nil
}

func (a *address) close() {
	for _, s := range a.sockets {
		s.Close()
	}
}

// noSuchAddress: the machine has no such address, or not even the protocol.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

// listenError says what to do when address, the value of flag, can't be listened on.
func listenError(flag, address string, err error) error {
	var dns *net.DNSError
	unix := strings.HasPrefix(address, unixPrefix)
	switch {
	case unix && errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("address %s is in use, perhaps by another chartserve: stop that one, or take another path with --address", address)
	case unix:
		return fmt.Errorf("listen on %s: %w (name a path of at most 100 bytes in a directory that may be written, with --address unix:PATH)", address, err)
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(address)
		return fmt.Errorf("address %s is in use, perhaps by another chartserve or a helm serve (ss -ltnp | grep :%s shows it), or by another --address: "+
			"stop that one, or take another port with %s, such as %s localhost:0", address, port, flag, flag)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("listen on %s: %w (ports below 1024 need privileges: choose a higher one with %s)", address, err, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		return fmt.Errorf("listen on %s: not an address of this machine (with %s write localhost:PORT, or :PORT for every interface)", address, flag)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}
