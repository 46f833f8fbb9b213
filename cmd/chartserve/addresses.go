package main

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// everyInterface tells whether other hosts reach the listeners by any of this
// machine's addresses.
func (l *listeners) everyInterface() bool {
	ip := net.ParseIP(l.host)
	return l.host == "" || ip != nil && ip.IsUnspecified()
}

// loopbackOnly reports whether other hosts reach none of the listeners.
func (l *listeners) loopbackOnly() bool {
	for _, s := range l.all {
		if a, ok := s.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return false
		}
	}
	return true
}

// baseURL is the address of the repository for clients on this machine, without
// a trailing slash.
func (l *listeners) baseURL(contextPath string) string {
	if l.everyInterface() {
		return l.url("localhost", contextPath)
	}
	return l.url(l.host, contextPath)
}

// remoteURL is the address for other hosts, empty where there is none.
func (l *listeners) remoteURL(contextPath string) string {
	if !l.everyInterface() {
		return ""
	}
	host := outboundIP()
	if host == "" {
		host, _ = os.Hostname()
	}
	if host == "" {
		return ""
	}
	return l.url(host, contextPath)
}

// ownURLs are all addresses that a chart may name this server by.
func (l *listeners) ownURLs(contextPath string) []string {
	hosts := []string{l.host}
	switch {
	case l.host == "localhost":
		hosts = loopbackHosts()
	case l.everyInterface():
		hosts = append(loopbackHosts(), localIPs()...)
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
	}
	urls := make([]string, len(hosts))
	for i, host := range hosts {
		urls[i] = l.url(host, contextPath)
	}
	return urls
}

func loopbackHosts() []string { return []string{"localhost", "127.0.0.1", "::1"} }

func (l *listeners) url(host, contextPath string) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(l.port)) + strings.TrimSuffix(contextPath, "/")
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
