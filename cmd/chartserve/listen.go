package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"syscall"
)

// listeners are the sockets of one --address.
type listeners struct {
	all []net.Listener
	// host is what --address named, empty for every interface; port is real,
	// also where --address asked for port 0.
	host string
	port int
	// socket opens one; net's own, but in tests.
	socket func(ctx context.Context, network, address string) (net.Listener, error)
}

// listen opens the sockets for address, HOST:PORT. For the host localhost these
// are 127.0.0.1 and, where there is one, ::1, whatever the hosts file says:
// clients differ in which of the two they try.
func listen(ctx context.Context, address string) (*listeners, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("invalid value %q for --address: write HOST:PORT, such as localhost:8879, or :8879 for every interface", address)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, usagef("invalid value %q for --address: %q is not a port (0 to 65535)", address, service)
	}
	l := &listeners{host: host, port: port, socket: new(net.ListenConfig).Listen}
	if host == "localhost" {
		err = l.loopback(ctx)
	} else {
		err = l.open(ctx, "tcp", host)
	}
	if err != nil {
		l.close()
		return nil, listenError(address, err)
	}
	return l, nil
}

// anyPortTries bounds how often another port is picked: one that the kernel finds
// free on the one loopback address may be taken on the other.
const anyPortTries = 20

// loopback listens on both loopback addresses, on one port.
func (l *listeners) loopback(ctx context.Context) error {
	port := l.port
	for try := 1; ; try++ {
		err := l.open(ctx, "tcp4", "127.0.0.1")
		if err != nil && !noSuchAddress(err) {
			return err
		}
		err6 := l.open(ctx, "tcp6", "::1")
		switch {
		case err6 == nil:
			return nil
		case noSuchAddress(err6):
			return err // none where 127.0.0.1 is there
		case port != 0 || try == anyPortTries || !errors.Is(err6, syscall.EADDRINUSE):
			return err6
		}
		l.close()
		l.all, l.port = nil, 0
	}
}

// open adds one socket, on l.port; where that is 0 it becomes the one picked.
func (l *listeners) open(ctx context.Context, network, host string) error {
	s, err := l.socket(ctx, network, net.JoinHostPort(host, strconv.Itoa(l.port)))
	if err != nil {
		return err
	}
	l.all = append(l.all, s)
	l.port = s.Addr().(*net.TCPAddr).Port
	return nil
}

func (l *listeners) close() {
	for _, s := range l.all {
		s.Close()
	}
}

// noSuchAddress: the machine has no such address, or not even the protocol.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

// listenError says what to do when address can't be listened on.
func listenError(address string, err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(address)
		return fmt.Errorf("address %s is in use, perhaps by another chartserve or a helm serve (ss -ltnp | grep :%s shows it): "+
			"stop that one, or take another port with --address, such as --address localhost:0", address, port)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("listen on %s: %w (ports below 1024 need privileges: choose a higher one with --address)", address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		return fmt.Errorf("listen on %s: not an address of this machine (with --address write localhost:PORT, or :PORT for every interface)", address)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}
