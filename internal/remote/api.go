package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"chartserve/internal/index"
)

// API is the part of a repository that takes charts in: that of ChartMuseum, which
// chartserve has too. It is safe for concurrent use.
type API struct {
	c          *Client
	repository address
	base       address // .../api or .../api/REPOSITORY
}

// FindAPI returns the API of the repository at an HTTP or HTTPS address. contextPath is
// the path below which the server has everything; empty: the index says it
// (serverInfo.contextPath), and where it does not, that is the root. Several repositories
// of one server have their APIs beside each other: that of http://host/CONTEXT/a/b is at
// http://host/CONTEXT/api/a/b, as `helm cm-push` assumes.
func (c *Client) FindAPI(ctx context.Context, repository, contextPath string) (*API, error) {
	at, err := parseRepository(repository)
	if err != nil {
		return nil, err
	}
	if contextPath == "" {
		f, _, err := c.readIndex(ctx, at, Validators{})
		if err != nil {
			return nil, fmt.Errorf("repository %s: %w", at, err)
		}
		contextPath = f.ContextPath
	}
	path, err := apiPath(at.url.Path, contextPath)
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", at, err)
	}
	return &API{c: c, repository: at, base: at.withPath(path)}, nil
}

// apiPath returns where the API of the repository at path is. What stands before the
// context path is a proxy's.
func apiPath(path, contextPath string) (string, error) {
	context := strings.Trim(contextPath, "/")
	if strings.ContainsAny(context, "\\?#") || strings.Contains("/"+context, "/.") || strings.Contains(context, "//") {
		return "", fmt.Errorf("%w: the context path %.100q is no path (write it as /charts)", ErrAddress, contextPath)
	}
	if context == "" {
		return "/api" + path, nil
	}
	context = "/" + context
	i := strings.Index(path+"/", context+"/")
	if i < 0 {
		return context + "/api" + path, nil
	}
	return path[:i] + context + "/api" + path[i+len(context):], nil
}

// withPath returns the address of another path on the same server, for the same user.
func (a address) withPath(path string) address {
	u := *a.url
	u.Path, u.RawPath = path, ""
	return address{url: &u, user: a.user}
}

// at is the address of a part of the API. The repository's query, which may be a key, goes
// along.
func (a *API) at(parts ...string) address {
	to := a.base.withPath(a.base.url.Path)
	for _, p := range parts {
		to.url.Path += "/" + p
		to.url.RawPath += "/" + url.PathEscape(p)
	}
	to.url.RawPath = (&url.URL{Path: a.base.url.Path}).EscapedPath() + to.url.RawPath
	return to
}

// Remove takes one version, spelled exactly, out of the repository. The error is a
// *StatusError of 404 where there is no such version. A version is gone, too, when a try
// whose answer was lost has removed it.
func (a *API) Remove(ctx context.Context, name, version string) error {
	r := request{address: a.at("charts", name, version), method: http.MethodDelete}
	lost := false
	err := a.c.retry(ctx, r, func() (bool, error) {
		err := a.c.exchange(ctx, r, saidYes("deleted"))
		if lost && gone(err) {
			return false, nil
		}
		lost = lost || mayBeDone(err)
		return false, err
	})
	return err
}

// mayBeDone reports whether a request that failed may have done its work: the server was
// reached, and no answer of its own came back.
func mayBeDone(err error) bool {
	var status *StatusError
	if dial := new(net.OpError); errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	if errors.As(err, &status) {
		return status.Code == http.StatusBadGateway || status.Code == http.StatusGatewayTimeout
	}
	return err != nil
}

// listed is what the API says of a version.
type listed struct {
	Version, Digest string
	URLs            []string
}

// version returns what the server has of a version; nil: it has none that is spelled so.
func (a *API) version(ctx context.Context, name, version string) (*listed, error) {
	data, _, err := a.c.read(ctx, request{address: a.at("charts", name, version), limit: index.MaxEntry})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := new(listed)
	if err := json.Unmarshal(data, v); err != nil || v.Version == "" {
		return nil, fmt.Errorf("GET %s: the answer is no version of a chart", a.at("charts", name, version))
	}
	if v.Version != version { // 1.0.0+b is found by 1.0.0 too
		return nil, nil
	}
	return v, nil
}
