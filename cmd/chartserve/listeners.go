package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"net"
	"net/url"
	"strconv"

	"chartserve/internal/httpapi"
)

// listeners are all sockets of a server.
type listeners struct {
	addresses []*address
	redirect  *address      // leads to HTTPS; nil: there is none
	certs     *certificates // of the TCP sockets in addresses; nil: they speak HTTP
}

// listen opens each address, or takes what systemd has opened in place of them.
func (f *listenFlags) listen(ctx context.Context, certs *certificates) (l *listeners, err error) {
	l = &listeners{certs: certs}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.addresses, l.redirect, err = inherited(); err != nil {
		return l, err
	}
	if l.redirect != nil && certs == nil {
		return l, fmt.Errorf("the service manager passed on a socket named %s: --tls-cert FILE and --tls-key FILE are missing", redirectName)
	}
	if len(l.addresses) == 0 {
		for _, text := range f.addresses {
			a, err := listen(ctx, "--address", text)
			if err != nil {
				return l, err
			}
			l.addresses = append(l.addresses, a)
		}
	}
	if f.redirect != "" && l.redirect == nil {
		l.redirect, err = listen(ctx, "--redirect-http", f.redirect)
	}
	return l, err
}

// all are the sockets, each with what its connections are secured by; nil: nothing. A unix
// socket speaks HTTP: who may use it is on this machine.
func (l *listeners) all() iter.Seq2[net.Listener, func() *tls.Config] {
	return func(yield func(net.Listener, func() *tls.Config) bool) {
		for _, a := range append([]*address{l.redirect}, l.addresses...) {
			if a == nil {
				continue
			}
			var secure func() *tls.Config
			if l.certs != nil && a.path == "" && a != l.redirect {
				secure = l.certs.config
			}
			for _, s := range a.sockets {
				if !yield(s, secure) {
					return
				}
			}
		}
	}
}

// redirectTo is where clients of HTTP are led: to the port of url where that is HTTPS,
// else to the first that is served. nil: there is no HTTPS.
func (l *listeners) redirectTo(repositoryURL string) *httpapi.Redirect {
	first := l.first()
	if l.certs == nil || first == nil {
		return nil
	}
	to := &httpapi.Redirect{Port: first.port, Certified: l.certs.validFor}
	if u, err := url.Parse(repositoryURL); err == nil && u.Scheme == "https" {
		to.Port = 443
		if port, err := strconv.Atoi(u.Port()); err == nil {
			to.Port = port
		}
	}
	return to
}

func (l *listeners) close() {
	for _, a := range l.addresses {
		a.close()
	}
	if l.redirect != nil {
		l.redirect.close()
	}
}
