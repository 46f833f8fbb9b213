package main

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path"

	"github.com/spf13/cobra"

	"chartserve/internal/httpapi"
	"chartserve/internal/listen"
)

// defaultAddress is where helm serve listened.
const defaultAddress = "localhost:8879"

// listenFlags say where the server listens, and to whom it answers.
type listenFlags struct {
	addresses   []string
	certFile    string
	keyFile     string
	clientCA    string
	redirect    string
	hosts       []string
	proxies     []string
	origin      string
	connections int
}

func (f *listenFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, listeningTitle)()
	flags.StringArrayVar(&f.addresses, "address", []string{defaultAddress}, "`HOST:PORT` to listen on, or unix:PATH for a unix socket; :8879 is every interface, port 0 picks a free one (repeatable)")
	flags.StringVar(&f.certFile, "tls-cert", "", "serve HTTPS with the certificate in this PEM `FILE`, the intermediate ones behind it; read again when it changes")
	flags.StringVar(&f.keyFile, "tls-key", "", "PEM `FILE` with the key of --tls-cert")
	flags.StringVar(&f.clientCA, "client-ca", "", "PEM `FILE` of the authorities whose client certificates log in: their holders may do everything, or what --access says; whoever reads has to log in then")
	flags.StringVar(&f.redirect, "redirect-http", "", "`HOST:PORT`, such as :80, that sends clients who come by HTTP to HTTPS")
	for _, name := range []string{"tls-cert", "tls-key", "client-ca"} {
		_ = cmd.MarkFlagFilename(name)
	}
	flags.StringArrayVar(&f.hosts, "allowed-host", nil, "`NAME` in a URL, or a glob such as '*.example.com', by which clients may ask, besides localhost and addresses; for a loopback --address no other without it, else any (repeatable)")
	flags.StringArrayVar(&f.proxies, "trusted-proxy", nil, "`CIDR` or address of a proxy whose X-Forwarded-For names the client in the logs, or unix for one on a unix socket (repeatable)")
	flags.StringVar(&f.origin, "cors-allow-origin", "", "`ORIGIN` whose pages browsers let read what is served, such as https://ui.example.com, and write where that is allowed; * is every page, and reads alone")
	flags.IntVar(&f.connections, "max-connections", 2000, "keep at most `N` connections open; idle ones make room, then others wait")
}

// check refuses values that can't be meant, and reads those of --trusted-proxy.
func (f *listenFlags) check() ([]netip.Prefix, error) {
	switch {
	case f.certFile != "" && f.keyFile == "":
		return nil, usagef("--tls-cert needs --tls-key FILE: the key of the certificate")
	case f.keyFile != "" && f.certFile == "":
		return nil, usagef("--tls-key needs --tls-cert FILE: the certificate that the key is of")
	case f.clientCA != "" && f.certFile == "":
		return nil, usagef("--client-ca needs --tls-cert FILE and --tls-key FILE: client certificates come with HTTPS alone")
	case f.redirect != "" && f.certFile == "":
		return nil, usagef("--redirect-http needs --tls-cert FILE and --tls-key FILE: without them there is no HTTPS to lead to")
	case f.connections < 1:
		return nil, usagef("invalid value %d for --max-connections: write 1 or more", f.connections)
	}
	for _, glob := range f.hosts {
		_, _, port := net.SplitHostPort(glob)
		if _, err := path.Match(glob, ""); err != nil || glob == "" || port == nil {
			return nil, usagef("invalid value %q for --allowed-host: write a name, or a glob, without a port", glob)
		}
	}
	return f.trustedProxies()
}

// trustedProxies reads the values of --trusted-proxy, as httpapi.Options has them.
func (f *listenFlags) trustedProxies() (all []netip.Prefix, err error) {
	for _, text := range f.proxies {
		prefix, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if text == "unix" {
			prefix, err = netip.Prefix{}, nil
		}
		if err != nil {
			return nil, usagef("invalid value %q for --trusted-proxy: write an address, a CIDR such as 10.0.0.0/8, or unix for who comes on a unix socket", text)
		}
		all = append(all, prefix)
	}
	return all, nil
}

// certificates reads those of HTTPS; nil: there is none.
func (f *listenFlags) certificates(log *slog.Logger) (*listen.Certificates, error) {
	if f.certFile == "" {
		return nil, nil
	}
	return listen.NewCertificates(f.certFile, f.keyFile, f.clientCA, log)
}

// redirect leads clients of HTTP to HTTPS; nil where there is none.
func redirect(l *listen.Listeners, repositoryURL string) *httpapi.Redirect {
	port := l.RedirectPort(repositoryURL)
	if port == 0 {
		return nil
	}
	return &httpapi.Redirect{Port: port, Certified: l.Certificates.ValidFor}
}

// allowedHosts are the names by which l answers; nil: any. Without --allowed-host a
// server that only this machine reaches answers by its own names alone, which other
// servers don't know: Services and DNS have many for them.
func (f *listenFlags) allowedHosts(l *listen.Listeners, repositoryURL string) []string {
	if len(f.hosts) == 0 && !l.LoopbackOnly() {
		return nil
	}
	hosts := append([]string{}, f.hosts...)
	for _, a := range l.Addresses {
		hosts = append(hosts, a.Host)
	}
	if name, err := os.Hostname(); err == nil && !l.LoopbackOnly() {
		hosts = append(hosts, name)
	}
	if u, err := url.Parse(repositoryURL); err == nil && u.Hostname() != "" {
		hosts = append(hosts, u.Hostname())
	}
	return hosts
}
