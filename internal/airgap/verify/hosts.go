package verify

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// hosts knows which addresses are inside.
type hosts struct {
	own   string   // the verified repository's host name, empty for a folder
	allow []string // HOST or HOST:PORT, in small letters
}

func newHosts(own string, allow []string) hosts {
	h := hosts{own: strings.ToLower(own)}
	for _, a := range allow {
		h.allow = append(h.allow, strings.ToLower(a))
	}
	return h
}

// inside reports whether the site reaches u without a route to the outside.
func (h hosts) inside(u *url.URL) bool {
	name := strings.ToLower(u.Hostname())
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || name == h.own && name != "" {
		return true
	}
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() {
		return true
	}
	host := strings.ToLower(u.Host)
	return slices.ContainsFunc(h.allow, func(a string) bool {
		return a == host || strings.Trim(a, "[]") == name
	})
}

// followed returns the URL of an entry, and nil, with a finding, where not every client
// follows it. Helm 2 does not follow an oci:// URL, which does not name the file either.
func (r *run) followed(e *index.Entry) *url.URL {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil:
		r.error(folder.IndexName, at(e, ".urls[0]"), "not a URL", indexAgain)
		return nil
	case u.Opaque != "" || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https":
		r.error(folder.IndexName, at(e, ".urls[0]"), fmt.Sprintf("%.100q is neither relative nor http(s): not every client can fetch it, and it is not verified", chart.ShowURL(u)), indexAgain)
		return nil
	}
	return u
}

// fetched reads a dependency's repository. u is nil where no client would go
// anywhere: charts/, a path, an alias that the client itself resolves.
func fetched(repository string) (u *url.URL) {
	if !strings.Contains(repository, "://") {
		return nil
	}
	u, err := url.Parse(repository)
	if err != nil || u.Scheme == "file" || u.Host == "" {
		return nil
	}
	return u
}
