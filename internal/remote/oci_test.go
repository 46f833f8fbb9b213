package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

func TestTags(t *testing.T) {
	for _, page := range []int{0, 1, 2, 3, 100} {
		g := newRegistry(t)
		g.page = page
		g.tags["charts/nova"] = []string{"1.0.0", "latest", "1.10.0_abc", "1.9.0", "1.2", "2.0.0-rc.1", "v0.1.0", "sha256-abc.sig"}
		got, err := newClient(t, Options{PlainHTTP: true}).Tags(t.Context(), g.at("charts/nova"))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"2.0.0-rc.1", "1.10.0+abc", "1.9.0", "1.0.0", "v0.1.0"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", page, diff)
		}
	}
	g := newRegistry(t)
	_, err := newClient(t, Options{PlainHTTP: true}).Tags(t.Context(), g.at("charts/none"))
	wantError(t, err, "tags of "+g.at("charts/none")+": GET "+g.URL+"/v2/charts/none/tags/list: status 404", "ends in the chart's name")
}

// TestTagsWithoutEnd: a list that always goes on ends all the same.
func TestTagsWithoutEnd(t *testing.T) {
	g := newRegistry(t)
	n := 0
	g.handle("/v2/charts/nova/tags/list", func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Link", fmt.Sprintf(`</v2/charts/nova/tags/list?last=%d>; rel="next"`, n))
		io.WriteString(w, `{"tags":["1.0.0"]}`)
	})
	_, err := newClient(t, Options{PlainHTTP: true}).Tags(t.Context(), g.at("charts/nova"))
	if !errors.Is(err, chart.ErrLimit) || n != maxTagPages {
		t.Errorf("%v after %d requests", err, n)
	}
}

// TestTagsElsewhere: a list that goes on at another host is not followed there, and
// not taken for whole.
func TestTagsElsewhere(t *testing.T) {
	g, other := newRegistry(t), newHost(t)
	other.put("/v2/charts/nova/tags/list", `{"tags":["2.0.0"]}`)
	g.tags["charts/nova"] = []string{"1.0.0"}
	g.handle("/v2/charts/nova/tags/list", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<`+other.URL+`/v2/charts/nova/tags/list>; rel="next"`)
		io.WriteString(w, `{"tags":["1.0.0"]}`)
	})
	got, err := newClient(t, Options{PlainHTTP: true}).Tags(t.Context(), g.at("charts/nova"))
	wantError(t, err, "tags of "+g.at("charts/nova")+": ", "not the same origin")
	if n := len(other.asked()); n != 0 || got != nil {
		t.Errorf("%d requests elsewhere, tags %q", n, got)
	}
}

func TestPull(t *testing.T) {
	archive, prov := bytesOf(1, 100_000), "signed"
	g := newRegistry(t)
	digest := g.push("charts/nova", "nova", "1.0.0+abc", archive, prov)
	address := g.at("charts/nova")
	want := &OCIChart{
		Metadata: &chart.Metadata{Name: "nova", Version: "1.0.0+abc", APIVersion: "v2"},
		Digest:   digestOf(archive), Size: int64(len(archive)), ProvSize: int64(len(prov)), prov: digestOf(prov),
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	var told int64
	c := newClient(t, Options{PlainHTTP: true, Progress: func(n int64) { told += n }})
	for name, ref := range map[string][2]string{
		"by version":           {address, "1.0.0+abc"},
		"by tag in the URL":    {address + ":1.0.0_abc", ""},
		"by digest in the URL": {address + "@" + digest, ""},
		"by tag and digest":    {address + ":other@" + digest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.Manifest(t.Context(), ref[0], ref[1])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(OCIChart{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	a, p := newFile(t, "old"), newFile(t, strings.Repeat("old", 100))
	if err := c.SaveOCI(t.Context(), address, want, a, p); err != nil {
		t.Fatal(err)
	}
	for f, want := range map[*os.File]string{a: archive, p: prov} {
		if got, err := os.ReadFile(f.Name()); err != nil || string(got) != want {
			t.Errorf("a file of %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
	if told != int64(len(archive)+len(prov)) {
		t.Errorf("progress tells %d bytes", told)
	}
}

// TestPullResumes: blobs go on without validators, because their address is their
// digest.
func TestPullResumes(t *testing.T) {
	archive := bytesOf(1, 1<<20)
	g := newRegistry(t)
	g.push("charts/nova", "nova", "1.0.0", archive, "")
	u := &upstream{data: archive, cut: 400_000, cuts: 2}
	g.handle("/v2/charts/nova/blobs/sha256:"+digestOf(archive), u.ServeHTTP)
	c := newClient(t, Options{PlainHTTP: true, Retries: 1})
	o, err := c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "bytes=400000-", "bytes=800000-"}, u.ranges); diff != "" {
		t.Error(diff)
	}
}

func TestBadManifests(t *testing.T) {
	tests := map[string]struct {
		change func(g *fakeRegistry, m *ocispec.Manifest)
		want   string
		kind   error
	}{
		"an image": {func(_ *fakeRegistry, m *ocispec.Manifest) {
			m.Config.MediaType = "application/vnd.oci.image.config.v1+json"
		}, "no Helm chart: its configuration is", errNoChart},
		"no archive":     {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Layers = nil }, "it has no archive", errNoChart},
		"two archives":   {func(g *fakeRegistry, m *ocispec.Manifest) { m.Layers = append(m.Layers, g.blob(helmChart, "two")) }, "it has two archives", errNoChart},
		"no digest":      {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Layers[0].Digest = "" }, "a layer of 7 bytes", errNoChart},
		"another digest": {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Layers[0].Digest = "sha512:12" }, "a layer of 7 bytes", errNoChart},
		"a path":         {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Config.Digest = "sha256:../../x" }, "its configuration has the digest", errNoChart},
		"no size":        {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Layers[0].Size = -1 }, "a layer of -1 bytes", errNoChart},
		"lost config":    {func(_ *fakeRegistry, m *ocispec.Manifest) { m.Config.Digest = ocispec.DescriptorEmptyJSON.Digest }, "status 404", nil},
		"a lying config": {func(g *fakeRegistry, m *ocispec.Manifest) {
			g.blobs[m.Config.Digest.String()] = `{"name":"evil","version":"1.0.0","apiVersion":"v2"}`
		}, "mismatch", ErrDigest},
		"no metadata": {func(g *fakeRegistry, m *ocispec.Manifest) { m.Config = g.blob(helmConfig, "{}") }, "/blobs/sha256:", chart.ErrMetadata},
		"a config too big": {func(g *fakeRegistry, m *ocispec.Manifest) {
			m.Config = g.blob(helmConfig, strings.Repeat("x", maxConfig+1))
		}, "larger than", chart.ErrLimit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newRegistry(t)
			m := ocispec.Manifest{Config: g.blob(helmConfig, `{"name":"nova","version":"1.0.0","apiVersion":"v2"}`), Layers: []ocispec.Descriptor{g.blob(helmChart, "archive")}}
			tt.change(g, &m)
			g.pushManifest("charts/nova", "1.0.0", m)
			o, err := newClient(t, Options{PlainHTTP: true}).Manifest(t.Context(), g.at("charts/nova"), "1.0.0")
			wantError(t, err, "chart "+g.at("charts/nova")+" 1.0.0: ", tt.want)
			if o != nil || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("got %v, %v", o, err)
			}
		})
	}
}

func TestManifestFaults(t *testing.T) {
	g := newRegistry(t)
	digest := g.push("charts/nova", "nova", "1.0.0", "archive", "")
	c := newClient(t, Options{PlainHTTP: true})
	_, err := c.Manifest(t.Context(), g.at("charts/nova"), "2.0.0")
	if wantError(t, err, "status 404"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	for _, version := range []string{"", "a/b", "../x", "1.0.0?x"} {
		if _, err := c.Manifest(t.Context(), g.at("charts/nova"), version); !errors.Is(err, ErrAddress) {
			t.Errorf("version %q: got %v", version, err)
		}
	}
	g.manifests["charts/nova:"+digest] += " "
	if _, err = c.Manifest(t.Context(), g.at("charts/nova")+"@"+digest, ""); !errors.Is(err, ErrDigest) {
		t.Errorf("a lying digest: %v", err)
	}
	for _, ref := range []string{digest, "1.0.0"} { // the header lies along
		path := "/v2/charts/nova/manifests/" + ref
		g.handle(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			w.Header().Set("Docker-Content-Digest", digest)
			io.WriteString(w, g.manifests["charts/nova:"+digest])
		})
		if _, err = c.Manifest(t.Context(), g.at("charts/nova"), ref); !errors.Is(err, ErrDigest) {
			t.Errorf("%s, which is another: %v", ref, err)
		}
		g.handle(path, nil)
	}
	g.manifests["charts/nova:1.0.0"] = "<html>"
	if _, err = c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0"); !errors.Is(err, errNoChart) {
		t.Errorf("a page: %v", err)
	}
	g.manifests["charts/nova:1.0.0"] = strings.Repeat(" ", maxManifest+1)
	if _, err = c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0"); !errors.Is(err, chart.ErrLimit) {
		t.Errorf("without end: %v", err)
	}
}

func TestLyingBlobs(t *testing.T) {
	for name, lie := range map[string]http.HandlerFunc{
		"other bytes": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ARCHIVE") },
		"fewer":       func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "arch") },
		"more":        func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "archives") },
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, "archive"); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRegistry(t)
			g.push("charts/nova", "nova", "1.0.0", "archive", "")
			g.handle("/v2/charts/nova/blobs/sha256:"+digestOf("archive"), lie)
			c := newClient(t, Options{PlainHTTP: true})
			o, err := c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0")
			if err != nil {
				t.Fatal(err)
			}
			err = c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), nil)
			if !errors.Is(err, ErrDigest) {
				t.Errorf("got %v", err)
			}
			o.Size = 101 << 20
			if err = c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), nil); !errors.Is(err, chart.ErrLimit) {
				t.Errorf("an archive over the limit: %v", err)
			}
		})
	}
}

// TestRegistryThirds: with every third request refused a chart arrives.
func TestRegistryThirds(t *testing.T) {
	g := newRegistry(t)
	g.auth = "bearer"
	g.push("charts/nova", "nova", "1.0.0", "archive", "signed")
	n, serve := 0, g.fallback
	g.fallback = func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			status(503, "Retry-After", "0")(w, r)
			return
		}
		serve(w, r)
	}
	c := newClient(t, Options{PlainHTTP: true})
	for range 5 {
		o, err := c.Manifest(t.Context(), g.at("charts/nova"), "1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SaveOCI(t.Context(), g.at("charts/nova"), o, newFile(t, ""), newFile(t, "")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFetchOCI(t *testing.T) {
	g := newRegistry(t)
	for _, v := range []string{"1.0.0", "v1.1.1", "1.1.0", "v1.1.0", "1.2.0+abc", "2.0.0-rc.1"} {
		g.push("charts/nova", "nova", v, "archive "+v, "")
	}
	for constraint, want := range map[string]string{
		"1.0.0": "1.0.0", "*": "1.2.0+abc", "^1.1": "1.2.0+abc", ">=1-0": "2.0.0-rc.1", "1.2.0+abc": "1.2.0+abc", "=1.0.0": "1.0.0",
		"1.1.0": "1.1.0", "v1.1.0": "v1.1.0", "=1.1.1": "v1.1.1",
	} {
		g.reset()
		got, err := fetch(t, newClient(t, Options{PlainHTTP: true}), g.at("charts/"), "nova", constraint)
		if err != nil || got != "archive "+want {
			t.Errorf("%s: got %q, %v", constraint, got, err)
		}
		if listed := strings.Contains(strings.Join(g.asked(), " "), "tags/list"); listed == isVersion(constraint) {
			t.Errorf("%s: requests %q", constraint, g.asked())
		}
	}
	c := newClient(t, Options{PlainHTTP: true})
	for chart, want := range map[string]string{"nova": "there are 2.0.0-rc.1, 1.2.0+abc, v1.1.1, v1.1.0, 1.1.0, 1.0.0", "none": "no chart has that name"} {
		for _, constraint := range []string{"9.9.9", ">=9"} {
			_, err := fetch(t, c, strings.Replace(g.at("charts"), "://", "://ann:hunter2@", 1), chart, constraint)
			wantError(t, err, "chart "+chart+" ", " from "+g.at("charts")+": not in the repository", want)
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("got %v", err)
			}
		}
	}
}

// TestFetchEntryOCI: indexes may lead to a registry.
func TestFetchEntryOCI(t *testing.T) {
	g := newRegistry(t)
	g.push("charts/nova", "nova", "1.0.0", "archive", "")
	c := newClient(t, Options{PlainHTTP: true})
	at, err := parseRepository("http://charts.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		url, digest string
		err         error
	}{
		"with a tag":     {g.at("charts/nova:1.0.0"), digestOf("archive"), nil},
		"without a tag":  {g.at("charts/nova"), "", nil},
		"another digest": {g.at("charts/nova:1.0.0"), digestOf("other"), ErrDigest},
		"not there":      {g.at("charts/nova:2.0.0"), "", ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.fetchEntry(t.Context(), at, &index.Entry{Name: "nova", Version: "1.0.0", URL: tt.url, Digest: tt.digest})
			if !errors.Is(err, tt.err) || err == nil && string(got) != "archive" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestSaveOCI: an index may lead to one version in a registry, and have build metadata
// in its address.
func TestSaveOCI(t *testing.T) {
	g := newRegistry(t)
	g.push("charts/nova", "nova", "1.0.0", "archive", "")
	g.push("charts/nova", "nova", "1.0.0+abc", "archive+", "")
	c := newClient(t, Options{PlainHTTP: true})
	for version, want := range map[string]string{"1.0.0": "archive", "1.0.0+abc": "archive+"} {
		ref, f := g.at("charts/nova:"+version), newFile(t, "")
		o, err := c.Manifest(t.Context(), ref, "")
		if err != nil {
			t.Fatal(err)
		}
		err = c.SaveOCI(t.Context(), ref, o, f, nil)
		if got, _ := os.ReadFile(f.Name()); err != nil || o.Size != int64(len(want)) || o.Digest != digestOf(want) || string(got) != want {
			t.Errorf("%s: got %q, %d, %s, %v", version, got, o.Size, o.Digest, err)
		}
		if err := newClient(t, Options{PlainHTTP: true, MaxArchive: 6}).SaveOCI(t.Context(), ref, o, f, nil); !errors.Is(err, chart.ErrLimit) {
			t.Errorf("%s: over the limit: %v", version, err)
		}
	}
	if _, err := c.Manifest(t.Context(), g.at("charts/nova:2.0.0"), ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
}

func FuzzRegistryAddress(f *testing.F) {
	for _, s := range []string{"oci://registry.example.com/charts/nova:1.0.0", "oci://a:b@h/x@sha256:" + digestOf(""), "oci://[::1]:1/x", "oci://", "oci://h//x"} {
		f.Add(s)
	}
	c, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := c.registryAt(s)
		if err != nil {
			return
		}
		u := r.address("tags/list").url
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || again.Path != u.Path || u.User != nil || strings.Contains(u.Path, "..") {
			t.Errorf("%q: %s is read back as %v, %v", s, u, again, err)
		}
	})
}

// FuzzManifest: what is found in a manifest can be asked for.
func FuzzManifest(f *testing.F) {
	g := &fakeRegistry{blobs: map[string]string{}}
	for _, m := range []ocispec.Manifest{
		{},
		{Config: g.blob(helmConfig, "{}"), Layers: []ocispec.Descriptor{g.blob(helmProvenance, "signed"), g.blob(helmChart, "archive")}},
		{Config: g.blob(helmConfig, "{}"), Layers: []ocispec.Descriptor{g.blob(helmChartOld, "archive")}, Annotations: map[string]string{ocispec.AnnotationCreated: "2026-01-02T03:04:05Z"}},
	} {
		data, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m ocispec.Manifest
		if json.Unmarshal(data, &m) != nil {
			return
		}
		o, err := findChart(&m)
		if err != nil {
			if !errors.Is(err, errNoChart) {
				t.Errorf("got %v", err)
			}
			return
		}
		for digest, size := range map[string]int64{o.Digest: o.Size, o.prov: o.ProvSize} {
			if (digest != "" || size != 0) && (len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" || size <= 0) {
				t.Errorf("%d bytes with digest %q", size, digest)
			}
		}
	})
}
