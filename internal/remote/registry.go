package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"chartserve/internal/chart"
)

// maxAuths bounds the registries whose tokens are in memory.
const maxAuths = 64

// registryRepository is one repository in an OCI registry: for Helm, one chart's.
type registryRepository struct {
	registry.Reference // with what the address has: a tag, a digest or nothing
	client             *Client
	scheme             string
	auth               *auth.Client
	known              bool // there are credentials
}

// isOCI reports whether an address is one in a registry, and not of a repository with
// an index.
func isOCI(address string) bool {
	const scheme = "oci://"
	return len(address) >= len(scheme) && strings.EqualFold(address[:len(scheme)], scheme)
}

// registryAt reads oci://[user[:password]@]host[:port]/path[:tag|@digest].
func (c *Client) registryAt(address string) (*registryRepository, error) {
	if !isOCI(address) {
		return nil, fmt.Errorf("%w: it has to begin with oci://", ErrAddress)
	}
	authority, path, _ := strings.Cut(address[len("oci://"):], "/")
	u, err := url.Parse("https://" + authority) // which it is read as later, and more strictly
	if err != nil {
		return nil, fmt.Errorf("%w: not oci://host/path", ErrAddress)
	}
	path, tag, tagged := strings.Cut(strings.TrimRight(path, "/"), ":")
	if tagged {
		path += ":" + strings.ReplaceAll(tag, "+", "_") // some indexes have the version there
	}
	ref, err := registry.ParseReference(u.Host + "/" + path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w (write it as oci://registry.example.com/charts/nova, in small letters)", ErrAddress, err)
	}
	r := &registryRepository{Reference: ref, client: c, scheme: "https"}
	if c.opts.PlainHTTP {
		r.scheme = "http"
	}
	r.auth, r.known = c.authFor(r, u.User)
	return r, nil
}

// String names the repository as people write it.
func (r *registryRepository) String() string { return "oci://" + r.Reference.String() }

// address returns the address of a part of the repository, such as "blobs/sha256:..."
// (OCI distribution specification, "Endpoints").
func (r *registryRepository) address(what string) address {
	return address{url: &url.URL{Scheme: r.scheme, Host: r.Host(), Path: "/v2/" + r.Repository + "/" + what}}
}

// remote returns oras-go's client of the repository, for manifests, configurations and
// lists of tags. Its requests are made by Do.
func (r *registryRepository) remote() *remote.Repository {
	return &remote.Repository{
		Client: r, Reference: r.Reference, PlainHTTP: r.scheme == "http",
		ManifestMediaTypes: []string{ocispec.MediaTypeImageManifest, dockerManifest},
		MaxMetadataBytes:   maxManifest, TagListMaxPages: maxTagPages,
	}
}

// Do makes a request for oras-go, in the way of all others. The answer has status 200,
// has come whole and has at most maxManifest bytes; all else is a *requestError.
func (r *registryRepository) Do(req *http.Request) (*http.Response, error) {
	data, d, err := r.client.read(req.Context(), request{address: address{url: req.URL}, method: req.Method,
		header: req.Header, limit: maxManifest, exact: true, registry: r})
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: d.header, Request: req,
		Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data))}, nil
}

// authFor returns the client that meets a registry's demand for credentials (basic,
// or a token from the service that it names). It holds the tokens for as long as the
// Client lives, by registry and user.
//
// A registry may name a token service on another host: that gets the credentials
// by the registry's word, as with all OCI clients, but not without TLS when the
// registry has TLS.
func (c *Client) authFor(r *registryRepository, user *url.Userinfo) (client *auth.Client, known bool) {
	credential := c.credentialFor(r, user)
	known = credential != auth.EmptyCredential
	host := r.Host()
	key := r.scheme + "://" + host
	if user != nil {
		key += " " + user.String()
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if client = c.registries[key]; client != nil {
		return client, known
	}
	client = &auth.Client{
		Client:     c.http,
		Cache:      auth.NewCache(),
		Credential: auth.StaticCredential(host, credential),
		// None: sites have their registry and its token service in private networks.
		BlockedRealmPrefixes: []netip.Prefix{},
	}
	if len(c.registries) >= maxAuths {
		clear(c.registries)
	}
	c.registries[key] = client
	return client, known
}

func (c *Client) credentialFor(r *registryRepository, user *url.Userinfo) auth.Credential {
	if user != nil {
		password, _ := user.Password()
		return auth.Credential{Username: user.Username(), Password: password}
	}
	if l := c.find(r.address("").url, "oci"); l != nil {
		return auth.Credential{Username: l.Username, Password: l.Password, AccessToken: l.Bearer}
	}
	return auth.EmptyCredential
}

// login makes a request, logs in when the registry asks for it, and makes it again.
func (r *registryRepository) login(req *http.Request) (*http.Response, error) {
	ctx := auth.AppendRepositoryScope(req.Context(), r.Reference, auth.ActionPull)
	resp, err := r.auth.Do(req.WithContext(ctx))
	var (
		refused *errcode.ErrorResponse
		network *url.Error
	)
	switch {
	case err == nil:
		return resp, nil
	case errors.As(err, &refused): // its text is the server's
		return nil, &StatusError{Code: refused.StatusCode, URL: chart.ShowURL(refused.URL), origin: chart.Origin(req.URL), known: r.known, logIn: r.client.opts.LogIn}
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return nil, &StatusError{Code: http.StatusUnauthorized, origin: chart.Origin(req.URL), logIn: r.client.opts.LogIn}
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", errLogin, err)
}
