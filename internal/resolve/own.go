package resolve

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/chart"
)

// DefaultOwnURL is the address that charts written for `helm serve` name as their
// repository. It always means this repository.
const DefaultOwnURL = "http://localhost:8879/charts"

// Own are the addresses and names that mean this repository when a dependency has
// them as its repository. The zero value means none.
type Own struct {
	parts map[string]Part // by canonical address, and by "@" and name
}

// Part is this repository, or only the charts and archives in some directories of its
// SOURCEs.
type Part struct {
	dirs []string // as users name them; nil: all
}

// holds reports whether the chart or archive at path, as users name it, belongs to the
// part. The path is empty for an archive that is in no SOURCE.
func (p Part) holds(path string) bool {
	return p.dirs == nil || slices.ContainsFunc(p.dirs, func(dir string) bool {
		return dir == "." && path != "" || path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
	})
}

// NewOwn reads addresses of the form [NAME=]URL[=DIR]. A URL is an http, https or oci
// address; NAME is what "@NAME" and "alias:NAME" refer to. DIR is a SOURCE, or a
// directory in one, as users name it: the address then means the charts in it alone, or in
// any of the directories that the address was given with. An http or https address means
// the oci one of the same host and path too, where the server is a registry. Empty texts
// are left out.
func NewOwn(addresses ...string) (Own, error) {
	o := Own{parts: map[string]Part{}}
	for _, s := range append([]string{DefaultOwnURL}, addresses...) {
		if s == "" {
			continue
		}
		name, addr := "", s
		if before, after, named := strings.Cut(s, "="); named && !strings.Contains(before, "/") {
			name, addr = before, after
		}
		dir, mapped := "", false
		if !strings.Contains(addr, "?") {
			addr, dir, mapped = strings.Cut(addr, "=")
		}
		key, ok := canonical(addr)
		if !ok || mapped && dir == "" {
			return o, fmt.Errorf("own URL %q: not an http, https or oci address (write it as http://localhost:8879/charts, name=URL or URL=SOURCE)", chart.ShowAddress(s))
		}
		keys := []string{key}
		if scheme, rest, _ := strings.Cut(key, "://"); scheme != "oci" {
			keys = append(keys, "oci://"+rest)
		}
		if name != "" {
			keys = append(keys, "@"+name)
		}
		for _, key := range keys {
			p, known := o.parts[key]
			if !mapped || known && p.dirs == nil {
				o.parts[key] = Part{}
				continue
			}
			o.parts[key] = Part{append(p.dirs, filepath.Clean(dir))}
		}
	}
	return o, nil
}

// Means returns the part that a dependency's repository is. It reports whether that is
// one of this repository.
func (o Own) Means(repository string) (Part, bool) {
	key, ok := canonical(repository)
	if name, named := alias(repository); named {
		key, ok = "@"+name, true
	}
	p, known := o.parts[key]
	return p, ok && known
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
