package httpapi

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"
)

const defaultContext = "/charts"

// contextPath checks and normalises Options.ContextPath: "" for the root, else
// without a slash at the end.
func contextPath(path string) (string, error) {
	path = cmp.Or(path, defaultContext)
	if path[0] != '/' {
		return "", fmt.Errorf("context path %q: it must begin with a slash, such as %s", path, defaultContext)
	}
	path = strings.TrimRight(path, "/")
	if path == "" {
		return "", nil
	}
	for _, segment := range strings.Split(path[1:], "/") {
		if segment == "" || segment[0] == '.' || strings.ContainsFunc(segment, notPlain) {
			return "", fmt.Errorf("context path %q: write segments of letters, digits, '-', '_', '.' and '~' "+
				"that don't begin with a dot, such as %s", path, defaultContext)
		}
	}
	switch path {
	case "/healthz", "/readyz", "/status", "/metrics", "/index", "/index.html", "/favicon.svg", "/page.css", "/page.js", "/chart", "/graph", "/operations", "/events", "/feed.atom", "/sitemap.xml", "/index.yaml", "/index.json", "/health", "/info", "/v2":
		return "", fmt.Errorf("context path %q: this path has a meaning of its own", path)
	}
	if path == "/api/charts" || path == "/api/prov" || strings.HasPrefix(path, "/api/charts/") || strings.HasPrefix(path, "/v2/") || strings.HasPrefix(path, "/chart/") {
		return "", fmt.Errorf("context path %q: this path has a meaning of its own", path)
	}
	return path, nil
}

func notPlain(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_.~", r)
}

// cleanRoute lets chi route by the unescaped path, in which + is a plus and
// nothing else, whatever the client chose to escape. What no file here can be
// called is not found, before it comes near a name.
func cleanRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := cleanPath(r.URL.Path)
		if !ok {
			fail(w, r, errNotFound)
			return
		}
		if at := placeOf(r); at != nil {
			if at.err != nil {
				fail(w, r, at.err)
				return
			}
			path = at.path
		}
		chi.RouteContext(r.Context()).RoutePath = path
		next.ServeHTTP(w, r)
	})
}

// cleanPath makes one slash of several, because Helm joins a repository URL that
// ends in two slashes like that. It refuses names that begin with a dot (so dot
// segments too), backslashes, and control characters. Files of a chart may begin with a dot.
func cleanPath(path string) (string, bool) {
	unsafe := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "/.") && !inChart.MatchString(path) || strings.ContainsFunc(path, unsafe) {
		return "", false
	}
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path, true
}

// inChart matches the path of a file in a chart that begins with a dot, or is in a folder that
// does, where nothing else begins so.
var inChart = regexp.MustCompile(`^(/[^./][^/]*)*/chart(/[^./][^/]*){2}/files(/\.?[^./][^/]*)+/?$`)

// names are the files that path, a clean one, may mean, the likeliest first. Below
// the context path and below the root the repository is there twice: as itself,
// and once more below charts/, where ChartMuseum has the archives.
func names(context, path string) []string {
	if strings.Contains(path, "/.") {
		return nil // what cleanPath lets pass for a chart's file is no file of the repository
	}
	list := make([]string, 0, 4)
	for _, base := range [...]string{context, ""} {
		name, ok := strings.CutPrefix(path, base+"/")
		if !ok {
			continue
		}
		list = append(list, name)
		if name, ok := strings.CutPrefix(name, "charts/"); ok {
			list = append(list, name)
		}
		if context == "" {
			break
		}
	}
	return list
}
