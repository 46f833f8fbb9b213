package listen

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// everyInterface reports whether other hosts reach the address by any of this machine's.
func (a *Address) everyInterface() bool {
	ip := net.ParseIP(a.Host)
	return a.Path == "" && (a.Host == "" || ip != nil && ip.IsUnspecified())
}

// First is the first address that URLs can have, nil where there are only unix sockets.
func (l *Listeners) First() *Address {
	for _, a := range l.Addresses {
		if a.Path == "" {
			return a
		}
	}
	return nil
}

// LoopbackOnly reports whether other hosts reach none of the TCP sockets, and there is one.
// A proxy asks on a unix socket, by any name.
func (l *Listeners) LoopbackOnly() bool {
	for _, a := range l.Addresses {
		for _, s := range a.sockets {
			if at, ok := s.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
				return false
			}
		}
	}
	return l.First() != nil
}

// BaseURL is the first of BaseURLs.
func (l *Listeners) BaseURL(contextPath string) string { return l.BaseURLs(contextPath)[0] }

// BaseURLs are the addresses of the repository for clients on this machine, without
// trailing slashes: one for each --address, unix:PATH for unix sockets, which come last.
func (l *Listeners) BaseURLs(contextPath string) (urls []string) {
	var unix []string
	for _, a := range l.Addresses {
		switch {
		case a.Path != "":
			unix = append(unix, UnixPrefix+a.Path)
		case a.everyInterface():
			urls = append(urls, l.url(a, "localhost", contextPath))
		default:
			urls = append(urls, l.url(a, a.Host, contextPath))
		}
	}
	return append(urls, unix...)
}

// RemoteURL is the address for other hosts, empty where there is none, or where it is
// BaseURL.
func (l *Listeners) RemoteURL(contextPath string) string {
	for _, a := range l.Addresses {
		if !a.everyInterface() {
			continue
		}
		host := outboundIP()
		if host == "" {
			host, _ = os.Hostname()
		}
		if u := l.url(a, host, contextPath); host != "" && u != l.BaseURL(contextPath) {
			return u
		}
	}
	return ""
}

// OwnURLs are all addresses that a chart may name this server by.
func (l *Listeners) OwnURLs(contextPath string) (urls []string) {
	scheme := "http"
	if l.Certificates != nil {
		scheme = "https"
	}
	for _, a := range l.Addresses {
		for _, host := range a.hosts(l.Certificates) {
			urls = append(urls, urlOf(scheme, host, a.Port, contextPath))
		}
	}
	if l.Redirect != nil {
		for _, host := range l.Redirect.hosts(l.Certificates) {
			urls = append(urls, urlOf("http", host, l.Redirect.Port, contextPath))
		}
	}
	return urls
}

// hosts are the names of the address.
func (a *Address) hosts(certs *Certificates) (hosts []string) {
	switch {
	case a.Path != "":
		return nil
	case a.Host == "localhost":
		hosts = loopbackHosts()
	case a.everyInterface():
		hosts = append(loopbackHosts(), localIPs()...)
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
	default:
		hosts = []string{a.Host}
	}
	if certs != nil {
		hosts = append(hosts, certs.host(a.Host))
	}
	return hosts
}

func loopbackHosts() []string { return []string{"localhost", "127.0.0.1", "::1"} }

// url is the repository's at host, or with TLS at a name that clients find in the
// certificate.
func (l *Listeners) url(a *Address, host, contextPath string) string {
	if l.Certificates == nil {
		return urlOf("http", host, a.Port, contextPath)
	}
	return urlOf("https", l.Certificates.host(host), a.Port, contextPath)
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
