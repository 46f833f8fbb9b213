package oci

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// FuzzManifest: what is refused is refused as a manifest, and what is taken can be read under
// its tag and by its digest, is among the referrers of its subject, and outlives a collection.
func FuzzManifest(f *testing.F) {
	x, none := digest.FromString("x"), digest.FromString("none")
	blob := `{"mediaType":"a/b","digest":"` + string(x) + `","size":1}`
	missing := `{"mediaType":"a/b","digest":"` + string(none) + `","size":4}`
	for _, seed := range []string{
		`{"schemaVersion":2,"config":` + blob + `,"layers":[` + blob + `]}`,
		`{"schemaVersion":2,"config":` + blob + `,"layers":[],"subject":` + missing + `,"artifactType":"c/d","annotations":{"a":"b"}}`,
		`{"schemaVersion":2,"config":` + blob + `,"subject":` + missing + `,"annotations":{"a":1}}`,
		`{"schemaVersion":2,"config":` + strings.Replace(blob, "a/b", ConfigType, 1) + `,"layers":[` + strings.Replace(blob, "a/b", ChartType, 1) + `]}`,
		`{"SchemaVersion":2,"config":` + blob + `,"Layers":null,"layers":[` + missing + `]}`,
	} {
		f.Add(ocispec.MediaTypeImageManifest, seed)
	}
	f.Add(ocispec.MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[`+missing+`],"subject":`+blob+`}`)
	f.Add("", `{"schemaVersion":2,"mediaType":"`+ocispec.MediaTypeImageIndex+`","manifests":[]}`)
	dir := f.TempDir()
	root, err := os.OpenRoot(dir)
	must(f, err)
	l, err := layout.Open(dir, layout.Options{})
	must(f, err)
	f.Cleanup(func() { root.Close(); l.Close() })
	const name = "a/b" // which is no chart's
	must(f, l.Write(name, x, []byte("x")))
	view := repo.NewView(root)
	target := &Target{Name: name, Layout: l, View: func() *repo.View { return view }, Charts: new(Charts), MaxArchive: 1, Turns: new(Turns), Log: slog.New(slog.DiscardHandler)}
	r := Registry{Charts: target.Charts, View: view, Pushed: pushedTo{l}}
	f.Fuzz(func(t *testing.T, mediaType, data string) {
		m, err := ParseManifest(mediaType, []byte(data))
		if err != nil {
			if !errors.Is(err, ErrManifest) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		s := &Sent{Manifest: m, Digest: digest.FromString(data), Data: []byte(data)}
		if err := target.Put(t.Context(), "t", s, repo.PublishOptions{}); err != nil {
			if !errors.Is(err, ErrNoBlob) && !errors.Is(err, ErrManifest) {
				t.Fatalf("not taken: %v", err)
			}
			return
		}
		for range 2 {
			byTag, err := r.Manifest(name, "t")
			must(t, err)
			byDigest, err := r.ManifestByDigest(name, s.Digest)
			must(t, err)
			if string(bytes(t, r, byTag)) != data || string(bytes(t, r, byDigest)) != data || byTag.MediaType != m.MediaType {
				t.Errorf("got %+v and %+v", byTag, byDigest)
			}
			tags, err := r.Tags(name)
			if _, names, nerr := r.Names(); err != nil || nerr != nil || !slices.Contains(tags, "t") || !slices.Contains(names, name) {
				t.Errorf("got tags %v, names %v, %v, %v", tags, names, err, nerr)
			}
			if m.Subject != nil {
				all, _, err := r.Referrers(name, m.Subject.Digest, m.kind(), "")
				must(t, err)
				if !slices.ContainsFunc(all, func(d ocispec.Descriptor) bool { return d.Digest == s.Digest }) {
					t.Errorf("not among its subject's referrers: %v", all)
				}
			}
			_, err = l.Collect(t.Context(), layout.CollectOptions{Grace: time.Hour, Alone: true})
			must(t, err)
		}
		must(t, l.Drop(name, func(*layout.Manifest) bool { return true }))
	})
}

type pushedTo struct{ l *layout.Layout }

func (p pushedTo) Content(bool) (*layout.Layout, error) { return p.l, nil }

// Who has the same key waits, others don't, and who gives up lets the next one go.
func TestTurnsByKey(t *testing.T) {
	var turns Turns
	first, err := turns.Take(t.Context(), "a")
	must(t, err)
	other, err := turns.Take(t.Context(), "b")
	must(t, err)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := turns.Take(gone, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	second := make(chan func())
	go func() {
		done, err := turns.Take(context.Background(), "a")
		if err != nil {
			t.Error(err)
		}
		second <- done
	}()
	select {
	case <-second:
		t.Error("two at once")
	case <-time.After(10 * time.Millisecond):
	}
	first()
	(<-second)()
	other()
	if len(turns.held) != 0 {
		t.Errorf("%d keys are remembered", len(turns.held))
	}
}

// A manifest that is full of what takes little to send takes little memory to refuse.
func TestManifestMemory(t *testing.T) {
	for _, element := range []string{"{}", "null", `{"size":-1}`} {
		list := strings.Repeat(element+",", layout.MaxManifest/(len(element)+1)) + element
		for _, key := range []string{"layers", "manifests"} {
			data := []byte(`{"schemaVersion":2,"` + key + `":[` + list + `]}`)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := ParseManifest(ocispec.MediaTypeImageIndex, data)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrManifest) || n > 4*layout.MaxManifest {
				t.Errorf("%s of %s: %d bytes, %v", key, element, n, err)
			}
		}
	}
}
