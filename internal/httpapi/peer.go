package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// clientOf is the address that a request came from: the peer's, or where that is a proxy
// that is trusted, the last one in X-Forwarded-For that is none. Everything before it
// the client may have written itself.
func clientOf(r *http.Request, proxies []netip.Prefix) string {
	client := r.RemoteAddr
	if len(proxies) == 0 {
		return client
	}
	peer, _ := netip.ParseAddrPort(client) // none on a unix socket
	if !trusts(proxies, peer.Addr()) && !(local(r) && slices.Contains(proxies, netip.Prefix{})) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = addr.String(); !trusts(proxies, addr) {
			break
		}
	}
	return client
}

func trusts(proxies []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap().WithZone("")) })
}

// checkHost refuses requests for another host. A page of anybody may have its own name
// point to this machine, and have a browser here read what is served (DNS rebinding); it
// can't do that with an address, nor with localhost.
func checkHost(allowed []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if allowed == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !hostIn(r.Host, allowed) {
				fail(w, r, errHost)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// sameOrigin refuses what a browser sends for a page of another site, where it would
// write: whoever can reach the server could be used to upload and delete. What is no
// browser says nothing of that, and passes; so do pages of the origin that is trusted.
func sameOrigin(trusted string) func(http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if trusted != anyOrigin && trusted != "" {
		_ = protection.AddTrustedOrigin(trusted) // checkOrigin has had it
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if protection.Check(r) != nil {
				fail(w, r, errCrossOrigin)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// hostIn reports whether host, with a port or without, is allowed. It is empty with
// HTTP/1.0.
func hostIn(host string, allowed []string) bool {
	host = hostName(host)
	_, err := netip.ParseAddr(host)
	if err == nil || host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	return slices.ContainsFunc(allowed, func(glob string) bool {
		match, _ := path.Match(strings.ToLower(glob), host)
		return match
	})
}

// hostName is the name or address in a Host header: in lower case, without a port, the dot
// of a full name and the brackets of IPv6.
func hostName(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]")
	}
	return host
}
