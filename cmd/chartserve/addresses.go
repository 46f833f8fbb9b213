package main

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// everyInterface tells whether other hosts reach the address by any of this machine's.
func (a *address) everyInterface() bool {
	ip := net.ParseIP(a.host)
	return a.path == "" && (a.host == "" || ip != nil && ip.IsUnspecified())
}

// first is the first address that URLs can have, nil where there are only unix sockets.
func (l *listeners) first() *address {
	for _, a := range l.addresses {
		if a.path == "" {
			return a
		}
	}
	return nil
}

// loopbackOnly reports whether other hosts reach none of the TCP sockets, and there is one.
// A proxy asks on a unix socket, by any name.
func (l *listeners) loopbackOnly() bool {
	for _, a := range l.addresses {
		for _, s := range a.sockets {
			if at, ok := s.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
				return false
			}
		}
	}
	return l.first() != nil
}

// baseURL is the first of baseURLs.
func (l *listeners) baseURL(contextPath string) string { return l.baseURLs(contextPath)[0] }

// baseURLs are the addresses of the repository for clients on this machine, without
// trailing slashes: one for each --address, unix:PATH for unix sockets, which come last.
func (l *listeners) baseURLs(contextPath string) (urls []string) {
	var unix []string
	for _, a := range l.addresses {
		switch {
		case a.path != "":
			unix = append(unix, unixPrefix+a.path)
		case a.everyInterface():
			urls = append(urls, l.url(a, "localhost", contextPath))
		default:
			urls = append(urls, l.url(a, a.host, contextPath))
		}
	}
	return append(urls, unix...)
}

// remoteURL is the address for other hosts, empty where there is none, or where it is
// baseURL.
func (l *listeners) remoteURL(contextPath string) string {
	for _, a := range l.addresses {
		if !a.everyInterface() {
			continue
		}
		host := outboundIP()
		if host == "" {
			host, _ = os.Hostname()
		}
		if u := l.url(a, host, contextPath); host != "" && u != l.baseURL(contextPath) {
			return u
		}
	}
	return ""
}

// ownURLs are all addresses that a chart may name this server by.
func (l *listeners) ownURLs(contextPath string) (urls []string) {
	scheme := "http"
	if l.certs != nil {
		scheme = "https"
	}
	for _, a := range l.addresses {
		for _, host := range a.hosts(l.certs) {
			urls = append(urls, urlOf(scheme, host, a.port, contextPath))
		}
	}
	if l.redirect != nil {
		for _, host := range l.redirect.hosts(l.certs) {
			urls = append(urls, urlOf("http", host, l.redirect.port, contextPath))
		}
	}
	return urls
}

// hosts are the names of the address.
func (a *address) hosts(certs *certificates) (hosts []string) {
	switch {
	case a.path != "":
		return nil
	case a.host == "localhost":
		hosts = loopbackHosts()
	case a.everyInterface():
		hosts = append(loopbackHosts(), localIPs()...)
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
	default:
		hosts = []string{a.host}
	}
	if certs != nil {
		hosts = append(hosts, certs.host(a.host))
	}
	return hosts
}

func loopbackHosts() []string { return []string{"localhost", "127.0.0.1", "::1"} }

// url is the repository's at host, or with TLS at a name that clients find in the
// certificate.
func (l *listeners) url(a *address, host, contextPath string) string {
	if l.certs == nil {
		return urlOf("http", host, a.port, contextPath)
	}
	return urlOf("https", l.certs.host(host), a.port, contextPath)
}

func urlOf(scheme, host string, port int, contextPath string) string {
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)) + strings.TrimSuffix(contextPath, "/")
}

// outboundIP is this machine's address on the way to other networks; empty without one.
func outboundIP() string {
	// Connecting a UDP socket sends nothing: it only asks for the route. The
	// address is one of those kept for documentation (RFC 5737).
	c, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return ""
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).IP.String()
}

// localIPs are the addresses of this machine that other hosts can reach.
func localIPs() (ips []string) {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP.String())
		}
	}
	return ips
}
