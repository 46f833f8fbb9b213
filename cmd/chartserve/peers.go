package main

import (
	"net/netip"
	"net/url"
	"os"
)

// trustedProxies reads the CIDRs and addresses of --trusted-proxy.
func (f *serveFlags) trustedProxies() (all []netip.Prefix, err error) {
	for _, text := range f.proxies {
		prefix, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, usagef("invalid value %q for --trusted-proxy: write an address or a CIDR, such as 10.0.0.0/8", text)
		}
		all = append(all, prefix)
	}
	return all, nil
}

// allowedHosts are the names by which l answers; nil: any. Without --allowed-host a
// server that only this machine reaches answers by its own names alone, which other
// servers don't know: Services and DNS have many for them.
func (f *serveFlags) allowedHosts(l *listeners) []string {
	if len(f.hosts) == 0 && !l.loopbackOnly() {
		return nil
	}
	hosts := append([]string{l.host}, f.hosts...)
	if name, err := os.Hostname(); err == nil && !l.loopbackOnly() {
		hosts = append(hosts, name)
	}
	if u, err := url.Parse(f.url); err == nil && u.Hostname() != "" {
		hosts = append(hosts, u.Hostname())
	}
	return hosts
}
