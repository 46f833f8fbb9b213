package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
)

// tool finds a registry client and gives it an empty home.
func tool(t *testing.T, name string) *client {
	t.Helper()
	home := t.TempDir()
	env := append(environment(home), "REGISTRY_AUTH_FILE="+filepath.Join(home, "auth.json"), "SSL_CERT_DIR="+home)
	return &client{name: name, path: binary(t, name), env: env}
}

// host is the server's address as registry clients write it.
func (s *server) host(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(s.at(t, "127.0.0.1"))
	must(t, err)
	return u.Host
}

// answer is what the server answers to one request.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends one request without a body, as nobody, to a path from the root on.
func (s *server) ask(t *testing.T, method, path string) answer {
	t.Helper()
	req, err := http.NewRequest(method, s.root()+path, nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// descriptor and ociManifest are what tests look at in a manifest.
type descriptor struct {
	MediaType, Digest, ArtifactType string
	Size                            int64
}

type ociManifest struct {
	digest      string // of its bytes
	raw         string
	Config      descriptor
	Layers      []descriptor
	Annotations map[string]string
}

// layer is the digest of the layer of this type, or empty.
func (m ociManifest) layer(mediaType string) string {
	for _, l := range m.Layers {
		if l.MediaType == mediaType {
			return l.Digest
		}
	}
	return ""
}

const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// manifest fetches a manifest, whose digest must be what its header says.
func (s *server) manifest(t *testing.T, name, reference string) ociManifest {
	t.Helper()
	a := s.ask(t, http.MethodGet, "/v2/"+name+"/manifests/"+reference)
	if a.status != http.StatusOK {
		t.Fatalf("%s:%s: %d %s", name, reference, a.status, a.body)
	}
	m := ociManifest{digest: digestOf(a.body), raw: a.body}
	must(t, json.Unmarshal([]byte(a.body), &m))
	if got := a.header.Get("Docker-Content-Digest"); got != m.digest {
		t.Errorf("%s:%s: Docker-Content-Digest %q, want %q", name, reference, got, m.digest)
	}
	return m
}

// tags are the tags of a name.
func (s *server) tags(t *testing.T, name string) []string {
	t.Helper()
	a := s.ask(t, http.MethodGet, "/v2/"+name+"/tags/list")
	var list struct{ Tags []string }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.status != http.StatusOK {
		t.Fatalf("tags of %s: %d %s", name, a.status, a.body)
	}
	return list.Tags
}

func digestOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// annsPassword is the password of ann that users writes down.
const annsPassword = "pass-ann"

// webTags are the tags of webVersions, sorted.
var webTags = []string{"1.0.0", "1.1.0_build.5", "1.1.0_build.6", "1.2.0", "2.0.0-rc.1"}
