package repo

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// addresses are the URLs and names that mean this repository when a chart gives
// them as a dependency's repository.
type addresses struct {
	urls  map[string]bool
	names map[string]bool
}

// newAddresses reads "URL" and "name=URL" forms; DefaultOwnURL is always there.
func newAddresses(own []string, base string) (addresses, error) {
	a := addresses{urls: map[string]bool{}, names: map[string]bool{}}
	for _, s := range append([]string{DefaultOwnURL, base}, own...) {
		if s == "" {
			continue
		}
		name, addr, named := strings.Cut(s, "=")
		if !named || strings.Contains(name, "/") {
			name, addr = "", s
		}
		key, ok := normalURL(addr)
		if !ok {
			return a, fmt.Errorf("own URL %q: not an http or https address (write it as http://localhost:8879/charts or name=URL)", s)
		}
		a.urls[key] = true
		if name != "" {
			a.names[name] = true
		}
	}
	return a, nil
}

// own reports whether a dependency's repository means this one.
func (a addresses) own(repository string) bool {
	if name, ok := repoAlias(repository); ok {
		return a.names[name]
	}
	key, ok := normalURL(repository)
	return ok && a.urls[key]
}

// repoAlias takes the name out of "@name" and "alias:name", Helm's ways to write
// a repository that a client has added under a name.
func repoAlias(repository string) (string, bool) {
	if name, ok := strings.CutPrefix(repository, "@"); ok {
		return name, true
	}
	return strings.CutPrefix(repository, "alias:")
}

// normalURL makes URLs that mean the same comparable: Helm tolerates slashes at
// the end, and the names of this host are one to us.
func normalURL(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port) + path.Clean("/"+u.Path), true
}
