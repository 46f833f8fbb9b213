package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Redirect leads clients that come over plain TCP to HTTPS. Those on a unix socket are
// local, most often a proxy, and are answered.
type Redirect struct {
	// Port is the one of HTTPS.
	Port int
	// Certified reports whether the certificate is valid for a host. Clients are led to
	// such hosts and to AllowedHosts, and to no other that a Host header names.
	Certified func(host string) bool
}

// redirectPlain comes before whatever asks for a password.
func redirectPlain(to *Redirect, allowed []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if to == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS != nil || local(r) {
				next.ServeHTTP(w, r)
				return
			}
			host := hostName(r.Host)
			if !to.Certified(host) && !named(host, allowed) {
				fail(w, r, errHost)
				return
			}
			answer := head{kind: plainType, cache: "no-cache", policy: barePolicy, location: to.location(host, r)}
			answer.reply(w, r, http.StatusPermanentRedirect, []byte("This is served by HTTPS: "+answer.location+"\n"))
		})
	}
}

// named reports whether the operator has named host, which is no address, or one of this
// machine alone.
func named(host string, allowed []string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback() && addr.Zone() == ""
	}
	plain := strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
	return allowed != nil && host != "" && plain && hostIn(host, allowed)
}

// location is where r goes on host. Its path begins with a slash, or it would be a part of
// the host's name.
func (to *Redirect) location(host string, r *http.Request) string {
	authority := net.JoinHostPort(host, strconv.Itoa(to.Port))
	if to.Port == 443 {
		authority = strings.TrimSuffix(authority, ":443")
	}
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return "https://" + authority + path
}

// local reports whether r came on a unix socket.
func local(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && addr.Network() == "unix"
}
