package index

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// FileURL returns the URL of a file in an index; name is the file's path below the
// repository's root, unescaped, such as "sub/nova-1.0.0+a.tgz".
//
// An empty base makes it relative to index.yaml; a base without a scheme, such as
// "charts" or "/charts", makes it relative too. A relative URL carries name as it
// is, as Helm's own index does: helm dep update of Helm 2 and 3 escapes it once
// more. Only bytes that end or break a URL are escaped, which no client can undo
// twice.
//
// An http or https base makes the URL absolute, and every byte but unreserved ones
// (RFC 3986, section 2.3) is escaped: no client escapes such a URL again, and many
// object stores take a bare "+" for a space. With another scheme, which one of Helm's
// plugins reads, the name is escaped as in Helm's own index. The query of base stays
// behind the name, as Helm joins URLs.
func FileURL(base, name string) string {
	prefix, query := base, ""
	if i := strings.IndexAny(base, "?#"); i >= 0 {
		prefix, query = base[:i], base[i:]
	}
	buf := make([]byte, 0, len(base)+len(name)+16)
	if base != "" {
		buf = append(buf, strings.TrimSuffix(prefix, "/")...)
		buf = append(buf, '/')
	} else if first, _, _ := strings.Cut(name, "/"); strings.Contains(first, ":") {
		buf = append(buf, "./"...) // else it would be a scheme
	}
	switch scheme, _, absolute := strings.Cut(prefix, "://"); {
	case !absolute:
		buf = appendEscaped(buf, name, breaksNoURL)
	case scheme == "http" || scheme == "https":
		buf = appendEscaped(buf, name, unreserved)
	default:
		buf = append(buf, (&url.URL{Path: "/" + name}).EscapedPath()[1:]...)
	}
	return string(append(buf, query...))
}

// appendEscaped appends name with the bytes escaped of each character but those to
// keep, and slashes.
func appendEscaped(buf []byte, name string, keep func(r rune) bool) []byte {
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == '/' || !(r == utf8.RuneError && size == 1) && keep(r) {
			buf = append(buf, name[i:i+size]...)
		} else {
			for _, c := range []byte(name[i : i+size]) {
				buf = fmt.Appendf(buf, "%%%02X", c)
			}
		}
		i += size
	}
	return buf
}

func unreserved(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return r == '-' || r == '.' || r == '_' || r == '~'
}

// breaksNoURL reports whether net/url, which Helm reads URLs with, takes r for
// itself in a path.
func breaksNoURL(r rune) bool {
	return r >= ' ' && r != 0x7f && r != '%' && r != '?' && r != '#'
}

// FolderPaths are where in a repository folder the archive of an entry with this URL
// may stand, the likeliest first: slash-separated, local to the folder. A relative
// URL leads to one place. Of an absolute one it is not known which part is the
// folder's own, so its ends count too. None: it leads out of the folder.
func FolderPaths(u *url.URL) []string {
	if u.Host == "" && !strings.HasPrefix(u.Path, "/") {
		if name := path.Clean(u.Path); fs.ValidPath(name) && name != "." {
			return []string{name}
		}
		return nil
	}
	var names []string
	name := strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	for name != "" && fs.ValidPath(name) {
		names = append(names, name)
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			break
		}
		name = rest
	}
	return names
}

// At reports whether e's URL is relative and leads to the file name below the
// repository's root, however it is escaped.
func (e *Entry) At(name string) bool {
	u, err := url.Parse(e.URL)
	if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || strings.HasPrefix(u.Path, "/") {
		return false
	}
	return slices.Equal(FolderPaths(u), []string{name})
}
