package listen

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"net"
	"net/url"
	"strconv"
)

// Listeners are all sockets of a server.
type Listeners struct {
	Addresses []*Address
	Redirect  *Address // leads to HTTPS; nil: there is none
	// Certificates are those of the TCP sockets in Addresses; nil: they speak HTTP.
	Certificates *Certificates
}

// OpenAll opens each address, or takes what systemd has opened in place of them, and the one
// of --redirect-http, unless it is empty. certs may be nil. The error may be a ValueError.
func OpenAll(ctx context.Context, addresses []string, redirect string, certs *Certificates) (l *Listeners, err error) {
	l = &Listeners{Certificates: certs}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.Addresses, l.Redirect, err = inherited(); err != nil {
		return l, err
	}
	if l.Redirect != nil && certs == nil {
		return l, fmt.Errorf("the service manager passed on a socket named %s: --tls-cert FILE and --tls-key FILE are missing", redirectName)
	}
	if len(l.Addresses) == 0 {
		for _, text := range addresses {
			a, err := Open(ctx, AddressFlag, text)
			if err != nil {
				return l, err
			}
			l.Addresses = append(l.Addresses, a)
		}
	}
	if redirect != "" && l.Redirect == nil {
		l.Redirect, err = Open(ctx, RedirectFlag, redirect)
	}
	return l, err
}

// All are the sockets, each with what its connections are secured by; nil: nothing. A unix
// socket speaks HTTP: who may use it is on this machine.
func (l *Listeners) All() iter.Seq2[net.Listener, func() *tls.Config] {
	return func(yield func(net.Listener, func() *tls.Config) bool) {
		for _, a := range append([]*Address{l.Redirect}, l.Addresses...) {
			if a == nil {
				continue
			}
			var secure func() *tls.Config
			if l.Certificates != nil && a.Path == "" && a != l.Redirect {
				secure = l.Certificates.Config
			}
			for _, s := range a.sockets {
				if !yield(s, secure) {
					return
				}
			}
		}
	}
}

// RedirectPort is where clients of HTTP are led: to the port of url where that is HTTPS,
// else to the first that is served. 0: there is no HTTPS.
func (l *Listeners) RedirectPort(repositoryURL string) int {
	first := l.First()
	if l.Certificates == nil || first == nil {
		return 0
	}
	u, err := url.Parse(repositoryURL)
	if err != nil || u.Scheme != "https" {
		return first.Port
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	return 443
}

// Close closes all sockets.
func (l *Listeners) Close() {
	for _, a := range l.Addresses {
		a.Close()
	}
	if l.Redirect != nil {
		l.Redirect.Close()
	}
}
