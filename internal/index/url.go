package index

import (
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// FileURL is the URL of the file name (a path below the repository's root,
// unescaped, such as "sub/nova-1.0.0+a.tgz") in an index. Every byte but
// unreserved ones (RFC 3986, section 2.3) is escaped in each segment: "+" too,
// because many servers and object stores take a bare one for a space, and ":"
// because it would make a scheme of a relative URL's first segment.
//
// base is the repository's absolute URL, with or without a trailing slash; its
// query stays behind the name, as Helm joins URLs. An empty base gives a URL
// relative to index.yaml.
func FileURL(base, name string) string {
	prefix, query := base, ""
	if i := strings.IndexAny(base, "?#"); i >= 0 {
		prefix, query = base[:i], base[i:]
	}
	buf := make([]byte, 0, len(base)+len(name)+16)
	if base != "" {
		buf = append(buf, strings.TrimSuffix(prefix, "/")...)
		buf = append(buf, '/')
	}
	for i := range len(name) {
		c := name[i]
		if c == '/' || unreserved(c) {
			buf = append(buf, c)
			continue
		}
		const hex = "0123456789ABCDEF"
		buf = append(buf, '%', hex[c>>4], hex[c&15])
	}
	return string(append(buf, query...))
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
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
