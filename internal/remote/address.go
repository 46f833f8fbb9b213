package remote

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"chartserve/internal/chart"
)

// maxRedirects is net/http's own bound, which a CheckRedirect replaces.
const maxRedirects = 10

// address is a place to GET from, with the credentials for it.
type address struct {
	url  *url.URL // without user and fragment
	user *url.Userinfo
}

// parseRepository reads the URL of a repository, as a chart's dependency names
// it. Slashes at the end mean nothing.
func parseRepository(s string) (address, error) {
	u, err := url.Parse(s)
	if err != nil {
		// url.Error repeats the whole text, which may hold a password.
		return address{}, fmt.Errorf("%w: not a URL (write it as https://charts.example.com)", ErrAddress)
	}
	if err := checkScheme(u); err != nil {
		return address{}, err
	}
	a := address{url: u, user: u.User}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return a, nil
}

func checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "oci":
		return fmt.Errorf("%w: oci:// leads to single charts, and to no repository with an index", ErrAddress)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: %q has to begin with http:// or https://", ErrAddress, chart.ShowURL(u))
	case u.Host == "":
		return fmt.Errorf("%w: %q names no host", ErrAddress, chart.ShowURL(u))
	}
	return nil
}

// resolve is the address that ref, from the index or index.yaml itself, means in
// the repository a. It follows Helm's ResolveReferenceURL (pkg/repo/v1): the
// repository is a folder, and its query goes along with relative references, in
// place of their own.
func (a address) resolve(ref string) (address, error) {
	invalid := fmt.Errorf("%w: the index has no valid URL for it", ErrAddress)
	u, err := url.Parse(ref)
	if err != nil {
		return address{}, invalid
	}
	relative := !u.IsAbs()
	if relative {
		folder := *a.url
		folder.Path += "/"
		if folder.RawPath != "" {
			folder.RawPath += "/"
		}
		u = folder.ResolveReference(u)
	}
	if err := checkScheme(u); err != nil {
		return address{}, err
	}
	// Some of what Parse takes it would not take back: "//::0", for one.
	if _, err := url.Parse(u.String()); err != nil {
		return address{}, invalid
	}
	target := address{url: u, user: u.User}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if sameOrigin(u, a.url) {
		target.user = cmp.Or(target.user, a.user)
		// Unlike in Helm, "//other.example.com/x.tgz" does not get the query, which
		// may be a key to this repository.
		if relative {
			u.RawQuery = a.url.RawQuery
		}
	}
	return target, nil
}

// String returns the address as logs and errors may show it.
func (a address) String() string { return chart.ShowURL(a.url) }

// sameOrigin reports whether credentials for a may go to b.
func sameOrigin(a, b *url.URL) bool { return chart.Origin(a) == chart.Origin(b) }

// checkRedirect bounds redirects, and withholds what net/http would pass on:
// the repository's query in the Referer, and credentials to subdomains and other
// ports.
func checkRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	if !sameOrigin(req.URL, via[0].URL) {
		req.Header.Del("Authorization")
	}
	if first := (request{method: via[0].Method}); first.writes() {
		// net/http would make a GET of it, which succeeds and does nothing.
		return fmt.Errorf("%w: it leads to %s (give the repository's URL there)", errRedirects, chart.ShowURL(req.URL))
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d in a row", errRedirects, maxRedirects)
	}
	if err := checkScheme(req.URL); err != nil {
		return fmt.Errorf("%w: %w", errRedirects, err)
	}
	return nil
}
