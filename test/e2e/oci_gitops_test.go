package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	orasremote "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// TestOCIFlux: what Flux's OCIRepository asks for, with its library: the tags, from which it
// takes a semantic version, a digest at each interval, and the one layer whose type its
// layerSelector names.
func TestOCIFlux(t *testing.T) {
	dir, _ := signedSamples(t)
	files{"users": users("ann")}.write(t, dir)
	for what, c := range map[string]struct {
		args  []string
		login authn.Authenticator
	}{
		"open":         {nil, authn.Anonymous},
		"needs login":  {[]string{"--htpasswd", "users"}, &authn.Basic{Username: "ann", Password: annsPassword}},
		"reads freely": {[]string{"--htpasswd", "users", "--anonymous-read"}, authn.Anonymous},
	} {
		t.Run(what, func(t *testing.T) {
			s := serve(t, dir, append(c.args, ".")...)
			options := []remote.Option{remote.WithAuth(c.login), remote.WithContext(t.Context()), remote.WithPageSize(1000)}
			web, err := name.NewRepository(s.host(t)+"/charts/web", name.Insecure)
			must(t, err)
			tags, err := remote.List(web, options...)
			if err != nil || !slices.Equal(slices.Sorted(slices.Values(tags)), webTags) {
				t.Fatalf("tags: %v, %v", tags, err)
			}
			for chart, archive := range map[string]string{"web:1.2.0": "web-1.2.0.tgz", "nova:1.0.0": "nova-1.0.0.tgz"} {
				ref, err := name.ParseReference(s.host(t)+"/charts/"+chart, name.Insecure)
				must(t, err)
				head, err := remote.Head(ref, options...)
				must(t, err)
				image, err := remote.Image(ref.Context().Digest(head.Digest.String()), options...)
				must(t, err)
				m, err := image.Manifest()
				must(t, err)
				for _, l := range m.Layers {
					if string(l.MediaType) != chartLayer {
						continue
					}
					layer, err := image.LayerByDigest(l.Digest)
					must(t, err)
					blob, err := layer.Compressed()
					must(t, err)
					data, err := io.ReadAll(blob)
					if err != nil || string(data) != read(t, filepath.Join(s.Repo, archive)) {
						t.Errorf("%s: %d bytes, %v", chart, len(data), err)
					}
				}
			}
		})
	}
}

// TestOCIArgoCD: what Argo CD does with a native OCI source, with its library: it finds a digest
// by HEAD, copies all of it into a layout of its own, and wants one tarball among at most ten layers.
// It keeps no connection and no login.
func TestOCIArgoCD(t *testing.T) {
	dir, _ := signedSamples(t)
	files{"users": users("ann")}.write(t, dir)
	s := serve(t, dir, "--htpasswd", "users", ".")
	client := &auth.Client{
		Client:     &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Credential: auth.StaticCredential(s.host(t), auth.Credential{Username: "ann", Password: annsPassword}),
	}
	registry, err := orasremote.NewRegistry(s.host(t))
	must(t, err)
	registry.PlainHTTP, registry.Client = true, client
	must(t, registry.Ping(t.Context()))
	for chart, archive := range map[string]string{"web:1.1.0_build.5": "web-1.1.0+build.5.tgz", "nova:1.0.0": "nova-1.0.0.tgz"} {
		from, err := orasremote.NewRepository(s.host(t) + "/charts/" + chart)
		must(t, err)
		from.PlainHTTP, from.Client = true, client
		found, err := from.Resolve(t.Context(), from.Reference.Reference)
		must(t, err)
		digest := found.Digest.String()
		_, data, err := oras.FetchBytes(t.Context(), from, digest, oras.DefaultFetchBytesOptions)
		must(t, err)
		var m ociManifest
		must(t, json.Unmarshal(data, &m))
		tarballs := slices.DeleteFunc(slices.Clone(m.Layers), func(l descriptor) bool {
			return !strings.HasSuffix(l.MediaType, "tar") && !strings.HasSuffix(l.MediaType, "tar+gzip")
		})
		if len(m.Layers) > 10 || len(tarballs) != 1 {
			t.Errorf("%s: the layers are %v", chart, m.Layers)
			continue
		}
		into := t.TempDir()
		layout, err := oci.New(into)
		must(t, err)
		if _, err := oras.Copy(t.Context(), from, digest, layout, digest, oras.DefaultCopyOptions); err != nil {
			t.Fatal(err)
		}
		_, hex, _ := strings.Cut(tarballs[0].Digest, ":")
		if got, err := os.ReadFile(filepath.Join(into, "blobs/sha256", hex)); err != nil || string(got) != read(t, filepath.Join(s.Repo, archive)) {
			t.Errorf("%s: %v", chart, err)
		}
		if err := from.Tags(t.Context(), "", func(tags []string) error { return nil }); err != nil {
			t.Error(err)
		}
	}
}
