package listen

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

// ValueError is the value of a flag that can't be meant, whatever the machine is like.
type ValueError struct{ error }

func (e ValueError) Unwrap() error { return e.error }

func badValue(format string, args ...any) error { return ValueError{fmt.Errorf(format, args...)} }

// UnixPrefix is before the path of a unix socket.
const UnixPrefix = "unix:"

// Address is what one --address names, with its sockets.
type Address struct {
	sockets []net.Listener
	// Host is what --address named, empty for every interface; Port is real,
	// also where --address asked for port 0.
	Host string
	Port int
	Path string // of a unix socket; empty: TCP
	// socket opens one; net's own, but in tests.
	socket func(ctx context.Context, network, address string) (net.Listener, error)
}

// Open opens the sockets for text, HOST:PORT or unix:PATH, which is the value of flag.
// For the host localhost these are 127.0.0.1 and, where there is one, ::1, whatever the
// hosts file says: clients differ in which of the two they try.
func Open(ctx context.Context, flag, text string) (*Address, error) {
	host, port, path, err := parse(ctx, flag, text)
	if err != nil {
		return nil, err
	}
	if path != "" {
		s, err := listenUnix(ctx, path)
		if err != nil {
			return nil, listenError(flag, text, err)
		}
		return &Address{Path: path, sockets: []net.Listener{s}}, nil
	}
	a := &Address{Host: host, Port: port, socket: new(net.ListenConfig).Listen}
	if host == "localhost" {
		err = a.loopback(ctx)
	} else {
		err = a.open(ctx, "tcp", host)
	}
	if err != nil {
		a.Close()
		return nil, listenError(flag, text, err)
	}
	return a, nil
}

// The flags whose values are addresses of the server.
const (
	AddressFlag  = "--address"
	RedirectFlag = "--redirect-http"
)

// Check returns the ValueError of Open, and opens nothing.
func Check(ctx context.Context, flag, text string) error {
	_, _, _, err := parse(ctx, flag, text)
	return err
}

// parse reads HOST:PORT or unix:PATH, the value of flag: path is empty for the first. The
// error is a ValueError.
func parse(ctx context.Context, flag, text string) (host string, port int, path string, err error) {
	if path, ok := strings.CutPrefix(text, UnixPrefix); ok && flag == AddressFlag {
		if path == "" || path[0] == '@' { // an abstract one, which everybody may connect to
			return "", 0, "", badValue("invalid value %q for --address: write the path of a file behind unix:", text)
		}
		return "", 0, path, nil
	}
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, "", badValue("invalid value %q for %s: write HOST:PORT, such as localhost:8879, or :8879 for every interface", text, flag)
	}
	if port, err = net.DefaultResolver.LookupPort(ctx, "tcp", service); err != nil {
		return "", 0, "", badValue("invalid value %q for %s: %q is not a port (0 to 65535)", text, flag, service)
	}
	return host, port, "", nil
}

// anyPortTries bounds how often another port is picked: one that the kernel finds
// free on the one loopback address may be taken on the other.
const anyPortTries = 20

// loopback listens on both loopback addresses, on one port.
func (a *Address) loopback(ctx context.Context) error {
	port := a.Port
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
		a.Close()
		a.sockets, a.Port = nil, 0
	}
}

// open adds one socket, on a.Port; where that is 0 it becomes the one picked.
func (a *Address) open(ctx context.Context, network, host string) error {
	s, err := a.socket(ctx, network, net.JoinHostPort(host, strconv.Itoa(a.Port)))
	if err != nil {
		return err
	}
	a.sockets = append(a.sockets, s)
	a.Port = s.Addr().(*net.TCPAddr).Port
	return nil
}

// Close closes them.
func (a *Address) Close() {
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
	unix := strings.HasPrefix(address, UnixPrefix)
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
