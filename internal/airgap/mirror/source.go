package mirror

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// Source is where charts come from.
type Source struct {
	// Address is the URL of a repository, the URL of an archive (its path ends in
	// .tgz), oci://HOST/PATH/CHART with an optional :VERSION or @sha256:DIGEST, or
	// the path of a folder of archives or of one archive. A URL may hold
	// credentials; they are never shown and never written.
	Address string
	// Filter selects; a Source that is one archive is taken whatever it says.
	Filter Filter
	// WithDependencies takes also what the archives depend on and do not contain.
	WithDependencies bool
	// Anywhere says that a chart which the Filter names may be in any of the
	// Sources with this mark; without it, it has to be in this one.
	Anywhere bool
	// Client reaches it, with the credentials that it needs; nil: the
	// Mirror's.
	Client *remote.Client
}

// source is a Source whose address was read.
type source struct {
	Source
	kind kind
	oci  ociRef // of kindOCI
	// needs names the archive that needs each pick, in a source of dependencies.
	needs map[chart.Pick]string
}

// kind is what an address means.
type kind int

const (
	kindRepository kind = iota // an index.yaml over HTTP
	kindArchive                // one archive over HTTP
	kindOCI                    // one chart of a registry
	kindLocal                  // a folder or a file
)

// ErrSource is an address that no charts can come from.
var ErrSource = errors.New("not a source of charts")

func (s Source) read() (*source, error) {
	read := &source{Source: s}
	scheme, _, found := strings.Cut(s.Address, "://")
	switch {
	case s.Address == "":
		return nil, fmt.Errorf("%w: the address is empty", ErrSource)
	case !found || scheme == "file":
		read.kind = kindLocal
		return read, nil
	case scheme == "oci":
		var err error
		read.kind = kindOCI
		read.oci, err = parseOCI(s.Address)
		return read, err
	}
	u, err := url.Parse(s.Address)
	if err != nil { // url.Error repeats the text, which may hold a password
		return nil, fmt.Errorf("%w: not a URL (write it as https://charts.example.com/stable)", ErrSource)
	}
	if scheme != "http" && scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%w: %q (write http://, https:// or oci:// and a host, or the path of a folder)", ErrSource, s)
	}
	if path.Ext(u.Path) == ".tgz" {
		read.kind = kindArchive
	}
	return read, nil
}

// ClientFor returns the client of the source whose address is the longest beginning of
// address, or else of the first on that host; nil: none has a client of its own there.
func ClientFor(sources []Source, address string) (client *remote.Client) {
	folder := func(address string) string { return trimSlash(address) + "/" }
	longest, origin := -1, chart.OriginOf(address)
	for _, s := range sources {
		if s.Client == nil || origin == "" || chart.OriginOf(s.Address) != origin {
			continue
		}
		length := 0
		if strings.HasPrefix(folder(address), folder(s.Address)) {
			length = len(folder(s.Address))
		}
		if length > longest {
			client, longest = s.Client, length
		}
	}
	return client
}

// key identifies the source in the state. It is a hash, because the address may hold
// credentials: another user may see other charts.
func (s *source) key() string { return chart.Digest([]byte(trimSlash(s.Address))) }

// String is the address without what may be secret in it.
func (s Source) String() string { return chart.ShowAddress(s.Address) }

// localPath is the path that a local address means.
func localPath(address string) string {
	if !strings.HasPrefix(address, "file://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return strings.TrimPrefix(address, "file://")
	}
	return u.Path
}

// ociRef is a parsed oci:// address.
type ociRef struct {
	address string // oci://HOST/PATH/CHART, with @sha256:DIGEST where given
	name    string // CHART
	version string // where given
}

func parseOCI(s string) (ociRef, error) {
	bad := fmt.Errorf("%w: %q (write oci://HOST/PATH/CHART, with :VERSION behind it for one version)", ErrSource, chart.ShowAddress(s))
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return ociRef{}, bad
	}
	dir, last := path.Split(strings.TrimRight(u.Path, "/"))
	name, digest, pinned := strings.Cut(last, "@")
	name, version, tagged := strings.Cut(name, ":")
	if name == "" || tagged && version == "" || pinned && !strings.HasPrefix(digest, "sha256:") {
		return ociRef{}, bad
	}
	r := ociRef{address: "oci://" + u.Host + dir + name, name: name, version: strings.ReplaceAll(version, "_", "+")}
	if pinned {
		r.address, r.version = r.address+"@"+digest, ""
	}
	return r, nil
}

func (r ociRef) pinned() bool { return strings.Contains(r.address, "@") }

func trimSlash(s string) string { return strings.TrimRight(s, "/") }
