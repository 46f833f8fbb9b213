package loaders

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	registry3 "helm.sh/helm/v3/pkg/registry"
	registry4 "helm.sh/helm/v4/pkg/registry"

	"chartserve/internal/httpapi"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// TestPushed has both Helms push charts. What chartserve makes of a chart that nobody pushed,
// config and manifest, has the bytes that Helm sends, but for the date and the media type of
// the manifest.
func TestPushed(t *testing.T) {
	k := pkgr.NewChecker(pkgr.Limits{})
	compare(t, 150, func(r *rand.Rand) (outcome, error) {
		members := someChart(r)
		describe(r, members)
		if r.IntN(4) > 0 {
			members = spoil(r, members)
		}
		data := gzipped(tarOf(members))
		info, err := k.Check(bytes.NewReader(data))
		if err == nil && (!layout.IsName(info.Metadata.Name) || !layout.IsTag(oci.Tag(info.Metadata.Version))) {
			err = errors.New("no registry can have it")
		}
		if err != nil {
			return outcome{ours: err, helm: err}, nil // which TestArchives is about
		}
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		return outcome{what: text(info.Metadata)}, pushed(dir, data, info)
	})
}

// describe puts some of what a manifest says into Chart.yaml.
func describe(r *rand.Rand, members []member) {
	i := slices.IndexFunc(members, func(m member) bool { return m.name == "c/Chart.yaml" })
	body := strings.NewReplacer("description: mine\n", "", "annotations: {a: b}\n", "").Replace(members[i].body)
	for _, f := range [][]string{
		{"description", "' '", "a <b> & \"c\"", "'\u2028 é'", "''"},
		{"home", "http://a/?b&c", "' '"},
		{"sources", "[]", "[http://b, http://c]", "[' ', http://d]"},
		{"maintainers", "[]", "[{name: Ann, email: a@b}, {name: Bob}, {email: c@d}]", "[{name: ' '}]", "[{url: http://e}]", "[{name: '<f>', url: http://g}]"},
		{"annotations", "{a: b}", "{org.opencontainers.image.title: x, org.opencontainers.image.description: ''}", "{org.opencontainers.image.version: '2', org.opencontainers.image.authors: y}", "{org.opencontainers.image.created: z}"},
		{"keywords", "[]", "[a, '<b>']"},
		{"kubeVersion", "'>=1.20.0-0'"},
	} {
		if n := r.IntN(len(f)); n > 0 {
			body += f[0] + ": " + f[n] + "\n"
		}
	}
	members[i].body = body
}

// pushed compares what both Helms push with what is made of the archive.
func pushed(dir string, data []byte, info *pkgr.Info) error {
	r, err := repo.Open(dir, repo.Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	run, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(run) }()
	defer func() { stop(); <-ended }()
	<-r.Ready()
	h, err := httpapi.New(r, httpapi.Options{Uploads: httpapi.Uploads{Publisher: r}})
	if err != nil {
		return err
	}
	server := httptest.NewServer(h)
	defer server.Close()
	ref := fmt.Sprintf("%s/charts/%s:%s", server.Listener.Addr(), info.Metadata.Name, info.Metadata.Version)
	for name, push := range map[string]func(data []byte, ref, home string) (string, error){"Helm 3": push3, "Helm 4": push4} {
		d, err := push(data, ref, dir)
		if err != nil {
			return fmt.Errorf("%s can't push: %w", name, err)
		}
		registry := func() oci.Registry { return oci.Registry{Charts: new(oci.Charts), View: r.View(), Pushed: r} }
		sent, err := bytesOf(registry().ManifestByDigest(info.Metadata.Name, digest.Digest(d)))
		if err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(dir, ".oci")); err != nil {
			return err
		}
		made, err := bytesOf(registry().Manifest(info.Metadata.Name, oci.Tag(info.Metadata.Version)))
		if err != nil {
			return err
		}
		var m ocispec.Manifest
		if err := json.Unmarshal(sent, &m); err != nil {
			return err
		}
		m.MediaType = ocispec.MediaTypeImageManifest
		if own, ok := info.Metadata.Annotations[ocispec.AnnotationCreated]; !ok || own == "" {
			delete(m.Annotations, ocispec.AnnotationCreated)
		}
		if diff := cmp.Diff(text(m), string(made)); diff != "" {
			return fmt.Errorf("the manifest that %s pushed (-) and what is made (+):\n%s", name, diff)
		}
		config, err := bytesOf(registry().Blob(info.Metadata.Name, m.Config.Digest))
		if err != nil || digest.FromBytes(config) != m.Config.Digest {
			return fmt.Errorf("config %s, %v", config, err)
		}
	}
	return nil
}

// bytesOf are those of what is made.
func bytesOf(f *oci.Found, err error) ([]byte, error) {
	if err != nil || f == nil || f.Make == nil {
		return nil, fmt.Errorf("found %+v, %w", f, err)
	}
	return f.Make()
}

func push3(data []byte, ref, home string) (string, error) {
	c, err := registry3.NewClient(registry3.ClientOptPlainHTTP(), registry3.ClientOptWriter(io.Discard), registry3.ClientOptCredentialsFile(filepath.Join(home, "3.json")))
	if err != nil {
		return "", err
	}
	done, err := c.Push(data, ref, registry3.PushOptCreationTime("2026-01-02T03:04:05Z"))
	if err != nil {
		return "", err
	}
	return done.Manifest.Digest, nil
}

func push4(data []byte, ref, home string) (string, error) {
	c, err := registry4.NewClient(registry4.ClientOptPlainHTTP(), registry4.ClientOptWriter(io.Discard), registry4.ClientOptCredentialsFile(filepath.Join(home, "4.json")))
	if err != nil {
		return "", err
	}
	done, err := c.Push(data, ref, registry4.PushOptCreationTime("2026-01-02T03:04:05Z"))
	if err != nil {
		return "", err
	}
	return done.Manifest.Digest, nil
}
