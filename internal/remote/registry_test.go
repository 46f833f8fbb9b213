package remote

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// fakeRegistry is what the OCI distribution specification says of pulling.
type fakeRegistry struct {
	*host
	manifests map[string]string // by repository:tag and repository@digest
	blobs     map[string]string // by digest
	tags      map[string][]string
	page      int // tags an answer; zero: all

	auth  string // "", "basic" or "bearer"
	realm string // of bearer
	user  string // user:password that is let in; empty with bearer: anybody gets a token
	cdn   *host  // blobs are redirected to it
	lie   string // what each blob is in place of itself
}

func newRegistry(t *testing.T) *fakeRegistry {
	t.Helper()
	g := &fakeRegistry{host: newHost(t), manifests: map[string]string{}, blobs: map[string]string{}, tags: map[string][]string{}}
	g.realm = g.URL + "/token"
	g.host.handle("/token", g.token)
	g.host.fallback = g.serve
	return g
}

// at is the address of a repository.
func (g *fakeRegistry) at(repository string) string {
	return strings.Replace(g.URL, "http://", "oci://", 1) + "/" + repository
}

// push puts a chart there, as Helm does, and gives its manifest's digest.
func (g *fakeRegistry) push(repository, name, version, archive, prov string) string {
	config := fmt.Sprintf(`{"name":%q,"version":%q,"apiVersion":"v2"}`, name, version)
	layers := []ocispec.Descriptor{g.blob(helmChart, archive)}
	if prov != "" {
		layers = append([]ocispec.Descriptor{g.blob(helmProvenance, prov)}, layers...)
	}
	return g.pushManifest(repository, strings.ReplaceAll(version, "+", "_"), ocispec.Manifest{
		Config: g.blob(helmConfig, config), Layers: layers,
		Annotations: map[string]string{ocispec.AnnotationCreated: "2026-01-02T03:04:05Z"},
	})
}

func (g *fakeRegistry) blob(mediaType, data string) ocispec.Descriptor {
	d := content.NewDescriptorFromBytes(mediaType, []byte(data))
	g.blobs[d.Digest.String()] = data
	return d
}

func (g *fakeRegistry) pushManifest(repository, tag string, m ocispec.Manifest) string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	digest := "sha256:" + digestOf(string(text))
	g.manifests[repository+":"+tag] = string(text)
	g.manifests[repository+":"+digest] = string(text)
	g.tags[repository] = append(g.tags[repository], tag)
	return digest
}

func (g *fakeRegistry) serve(w http.ResponseWriter, r *http.Request) {
	if !g.admits(r) {
		challenge := `Basic realm="charts"`
		if g.auth == "bearer" {
			challenge = fmt.Sprintf(`Bearer realm=%q,service="charts",scope="repository:charts/nova:pull"`, g.realm)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"s3cret"}]}`)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if repository, ok := strings.CutSuffix(path, "/tags/list"); ok {
		g.list(w, r, repository)
		return
	}
	if repository, ref, ok := strings.Cut(path, "/manifests/"); ok && g.manifests[repository+":"+ref] != "" {
		w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
		io.WriteString(w, g.manifests[repository+":"+ref])
		return
	}
	_, digest, _ := strings.Cut(path, "/blobs/")
	data, ok := g.blobs[digest]
	switch {
	case !ok:
		http.NotFound(w, r)
	case g.cdn != nil:
		g.cdn.put("/"+digest, data)
		http.Redirect(w, r, g.cdn.URL+"/"+digest, http.StatusTemporaryRedirect)
	default:
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data+g.lie))
	}
}

func (g *fakeRegistry) list(w http.ResponseWriter, r *http.Request, repository string) {
	tags, ok := g.tags[repository]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if last := r.URL.Query().Get("last"); last != "" {
		tags = tags[slices.Index(tags, last)+1:]
	}
	if g.page > 0 && len(tags) > g.page {
		tags = tags[:g.page]
		w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?last=%s>; rel="next"`, repository, tags[g.page-1]))
	}
	json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": tags})
}

func (g *fakeRegistry) admits(r *http.Request) bool {
	switch g.auth {
	case "basic":
		return credentials(r.Header) == g.user
	case "bearer":
		return credentials(r.Header) == "Bearer a-token"
	}
	return true
}

func (g *fakeRegistry) token(w http.ResponseWriter, r *http.Request) {
	if g.user != "" && credentials(r.Header) != g.user {
		status(401)(w, r)
		return
	}
	if r.URL.Query().Get("scope") != "repository:charts/nova:pull" || r.URL.Query().Get("service") != "charts" {
		status(400)(w, r)
		return
	}
	io.WriteString(w, `{"token":"a-token"}`)
}

func TestRegistryAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"oci://registry.example.com/charts/nova":            "https://registry.example.com/v2/charts/nova/x",
		"OCI://registry.example.com:5000/nova/":             "https://registry.example.com:5000/v2/nova/x",
		"oci://ann:hunter2@registry.example.com/nova:1.0.0": "https://registry.example.com/v2/nova/x",
		"oci://[::1]:5000/nova":                             "https://[::1]:5000/v2/nova/x",
		"oci://registry.example.com/nova:1.0.0+abc":         "https://registry.example.com/v2/nova/x",
	} {
		r, err := newClient(t, Options{}).registryAt(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
		} else if got := r.address("x").String(); got != want || strings.Contains(r.String(), "hunter2") {
			t.Errorf("%s: got %s for %s, want %s", address, got, r, want)
		}
	}
	for _, address := range []string{"", "https://registry.example.com/nova", "oci://", "oci://registry.example.com", "oci://registry.example.com/",
		"oci:///nova", "oci://registry.example.com/no+va", "oci://registry.example.com/no+va:1.0.0", "oci://registry.example.com/Nova", "oci://registry.example.com/a/../b", "oci://registry.example.com/nova?x=1",
		"oci://registry.example.com/nova@sha256:12", "oci://ann:hunter2@registry.example.com:port/nova"} {
		_, err := newClient(t, Options{}).registryAt(address)
		wantError(t, err, ErrAddress.Error())
	}
}

// TestRegistryLogins: what a registry asks for it gets, and it alone.
func TestRegistryLogins(t *testing.T) {
	const good = "ann:hunter2"
	tests := map[string]struct {
		auth, user string // of the registry
		other      bool   // it takes another token than its service gives
		elsewhere  bool   // the token service is another host
		login      Login
		inURL      string
		want       string // error
		requests   int64
	}{
		"open":                          {requests: 3},
		"open, with a login":            {login: Login{Username: "ann", Password: "hunter2"}, requests: 3},
		"basic":                         {auth: "basic", user: good, login: Login{Username: "ann", Password: "hunter2"}, requests: 4},
		"basic, in the URL":             {auth: "basic", user: good, inURL: "ann:hunter2@", requests: 4},
		"basic, missing":                {auth: "basic", user: good, want: "are missing: give a user with password, or a token)", requests: 1},
		"basic, wrong":                  {auth: "basic", user: good, login: Login{Username: "ann", Password: "s3cret"}, want: "were refused", requests: 2},
		"token for anybody":             {auth: "bearer", requests: 5},
		"token":                         {auth: "bearer", user: good, login: Login{Username: "ann", Password: "hunter2"}, requests: 5},
		"token for anybody, refused":    {auth: "bearer", other: true, want: " are missing: give ", requests: 3},
		"token, missing":                {auth: "bearer", user: good, want: " are missing: give ", requests: 2},
		"token, wrong":                  {auth: "bearer", user: good, login: Login{Username: "ann", Password: "s3cret"}, want: "were refused", requests: 2},
		"token, brought along":          {auth: "bearer", user: good, login: Login{Bearer: "a-token"}, requests: 4},
		"token from elsewhere":          {auth: "bearer", user: good, elsewhere: true, login: Login{Username: "ann", Password: "hunter2"}, requests: 5},
		"basic, but a token is at hand": {auth: "basic", user: good, login: Login{Bearer: "s3cret"}, want: "the registry's login failed", requests: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newRegistry(t)
			g.auth, g.user = tt.auth, tt.user
			if tt.other {
				g.handle("/token", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"token":"another"}`) })
			}
			if tt.elsewhere {
				other := newHost(t)
				other.handle("/token", g.token)
				// A name, so that it is another one, and in a private network.
				g.realm = strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + "/token"
			}
			g.push("charts/nova", "nova", "1.0.0", "archive", "")
			o := Options{PlainHTTP: true}
			if tt.login != (Login{}) {
				tt.login.Origin = strings.Replace(g.URL, "http://", "oci://", 1)
				o.Logins = []Login{tt.login}
			}
			c := newClient(t, o)
			address := strings.Replace(g.at("charts/nova"), "://", "://"+tt.inURL, 1)
			got, err := c.Manifest(t.Context(), address, "1.0.0")
			if err == nil {
				err = c.SaveOCI(t.Context(), address, got, newFile(t, ""), nil)
			}
			if tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
			if n := c.Requests(); n != tt.requests {
				t.Errorf("%d requests, want %d: %q", n, tt.requests, g.asked())
			}
		})
	}
}

// TestRegistrySecrets: where a registry sends us gets no credentials, also when it
// asks for them.
func TestRegistrySecrets(t *testing.T) {
	for _, kind := range []string{"basic", "bearer"} {
		g, cdn := newRegistry(t), newHost(t)
		g.auth, g.user, g.cdn = kind, "ann:hunter2", cdn
		g.push("charts/nova", "nova", "1.0.0", "archive", "")
		c := newClient(t, Options{PlainHTTP: true, Logins: []Login{{Origin: g.URL, Username: "ann", Password: "hunter2"}}})
		o, err := c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), nil); err != nil {
			t.Error(err)
		}
		cdn.handle("/sha256:"+o.Digest, status(401, "WWW-Authenticate", `Bearer realm="`+cdn.URL+`/token",service="x"`))
		err = c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), nil)
		wantError(t, err, "status 401", "from "+cdn.URL)
		if n := withCredentials(cdn); n > 0 || len(cdn.asked()) != 3 {
			t.Errorf("%s: %d requests of %q with credentials", kind, n, cdn.asked())
		}
	}
}
