package resolve

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// DefaultOwnURL is the address that charts written for `helm serve` name as their
// repository. It always means this repository.
const DefaultOwnURL = "http://localhost:8879/charts"

// Own are the addresses and names that mean this repository when a dependency has
// them as its repository. The zero value means none.
type Own struct {
	urls, names map[string]bool
}

// NewOwn reads addresses of the forms URL and NAME=URL. A URL is an http, https or
// oci address; NAME is what "@NAME" and "alias:NAME" refer to. Empty texts are
// left out.
func NewOwn(addresses ...string) (Own, error) {
	o := Own{urls: map[string]bool{}, names: map[string]bool{}}
	for _, s := range append([]string{DefaultOwnURL}, addresses...) {
		if s == "" {
			continue
		}
		name, addr, named := strings.Cut(s, "=")
		if !named || strings.Contains(name, "/") {
			name, addr = "", s
		}
		key, ok := canonical(addr)
		if !ok {
			return o, fmt.Errorf("own URL %q: not an http, https or oci address (write it as http://localhost:8879/charts or name=URL)", s)
		}
		o.urls[key] = true
		if name != "" {
			o.names[name] = true
		}
	}
	return o, nil
}

// Means reports whether a dependency's repository is this one.
func (o Own) Means(repository string) bool {
	if name, ok := alias(repository); ok {
		return o.names[name]
	}
	key, ok := canonical(repository)
	return ok && o.urls[key]
}

// alias returns the name in "@name" and "alias:name", Helm's ways to write a
// repository that a client has added under a name.
func alias(repository string) (string, bool) {
	if name, ok := strings.CutPrefix(repository, "@"); ok {
		return name, true
	}
	return strings.CutPrefix(repository, "alias:")
}

// isRemote reports whether repository is an address that can be fetched from.
func isRemote(repository string) bool {
	scheme, _, ok := strings.Cut(repository, "://")
	return ok && defaultPorts()[scheme] != ""
}

func defaultPorts() map[string]string {
	return map[string]string{"http": "80", "https": "443", "oci": "443"}
}

// canonical makes addresses that mean the same equal: Helm tolerates slashes at the
// end, and all names of the loopback host are one.
func canonical(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || defaultPorts()[u.Scheme] == "" {
		return "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	port = cmp.Or(port, defaultPorts()[u.Scheme])
	return u.Scheme + "://" + net.JoinHostPort(host, port) + path.Clean("/"+u.Path), true
}
