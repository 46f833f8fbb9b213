package oci

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/layout"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// pushing is a repository that runs, and the name web in it, whose layout and whose
// repository fail as a test says.
type pushing struct {
	*Target
	t     testing.TB
	dir   string
	trust repo.Trust // nil: none is asked
	r     *repo.Repository
	stop  func()

	mu    sync.Mutex
	fault func() error // asked before each operation; nil: none fails
}

func newPushing(t testing.TB) *pushing {
	t.Helper()
	return newPushingWith(t, nil)
}

func newPushingWith(t testing.TB, trust repo.Trust) *pushing {
	t.Helper()
	p := &pushing{t: t, dir: quick(t), trust: trust}
	p.start()
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *pushing) start() {
	p.t.Helper()
	r, err := repo.Open(p.dir, repo.Options{KeepReplaced: time.Hour, Trust: p.trust})
	must(p.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	l, err := layout.Open(p.dir, layout.Options{Fault: func(string, string) error { return p.ask() }})
	must(p.t, err)
	p.r, p.stop = r, func() {
		cancel()
		must(p.t, errors.Join(<-done, l.Close(), r.Close()))
	}
	<-r.Ready() // its own Layout collects nothing in the first minute
	p.Target = &Target{Name: "web", Layout: l, View: r.View, Charts: new(Charts), Publisher: p, MaxArchive: 1 << 20, Turns: new(Turns), Log: slog.New(slog.DiscardHandler)}
}

// quick is a folder on a disk that nobody has to wait for, where the system has one.
func quick(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "oci-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (p *pushing) ask() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		return nil
	}
	return p.fault()
}

func (p *pushing) fail(fault func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Publish fails before it has done anything, or when all is done and nobody knows it.
func (p *pushing) Publish(ctx context.Context, archive io.Reader, o repo.PublishOptions) (repo.Published, error) {
	if err := p.ask(); err != nil {
		return repo.Published{}, err
	}
	done, err := p.r.Publish(ctx, archive, o)
	if p.ask() != nil {
		err = errors.Join(err, repo.ErrStopped)
	}
	return done, err
}

// Remove is as Publish.
func (p *pushing) Remove(ctx context.Context, name, version string) error {
	if err := p.ask(); err != nil {
		return err
	}
	err := p.r.Remove(ctx, name, version)
	if p.ask() != nil {
		err = errors.Join(err, repo.ErrStopped)
	}
	return err
}

func (p *pushing) Content(bool) (*layout.Layout, error) { return p.Layout, nil }

func (p *pushing) registry() Registry { return Registry{Charts: p.Charts, View: p.r.View(), Pushed: p} }

func (p *pushing) blob(data string) ocispec.Descriptor {
	p.t.Helper()
	d := ocispec.Descriptor{Digest: digest.FromString(data), Size: int64(len(data))}
	id, err := p.Layout.Start(p.Name)
	must(p.t, err)
	_, err = p.Layout.Append(p.Name, id, 0, strings.NewReader(data))
	must(p.t, err)
	must(p.t, p.Layout.Finish(p.Name, id, d.Digest))
	return d
}

// chart is a manifest of version 1.0.0, whose blobs have been uploaded. text makes another
// archive, note another manifest.
func (p *pushing) chart(text, note string) *Sent {
	p.t.Helper()
	var out strings.Builder
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, file := range [][2]string{{"web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"}, {"web/text", text}} {
		must(p.t, tw.WriteHeader(&tar.Header{Name: file[0], Mode: 0o644, Size: int64(len(file[1]))}))
		_, err := io.WriteString(tw, file[1])
		must(p.t, err)
	}
	must(p.t, errors.Join(tw.Close(), zw.Close()))
	config, archive := p.blob(`{"name":"web"}`), p.blob(out.String())
	config.MediaType, archive.MediaType = ConfigType, ChartType
	return sent(p.t, &ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{archive}, Annotations: map[string]string{"note": note}})
}

func sent(t testing.TB, m *ocispec.Manifest) *Sent {
	t.Helper()
	m.SchemaVersion, m.MediaType = 2, ocispec.MediaTypeImageManifest
	data, err := json.Marshal(m)
	must(t, err)
	parsed, err := ParseManifest(m.MediaType, data)
	must(t, err)
	return &Sent{Manifest: parsed, Digest: digest.FromBytes(data), Data: data}
}

func (p *pushing) put(s *Sent, overwrite bool) error {
	return p.Put(p.t.Context(), "1.0.0", s, repo.PublishOptions{Overwrite: overwrite})
}

// consistent fails unless index and tag agree, and all that the tag has is there. It returns
// the digest of the tag's manifest; empty: there is none.
func (p *pushing) consistent() (tag digest.Digest) {
	p.t.Helper()
	r := p.registry()
	v := versionOf(r.View, "web", "1.0.0")
	found, m := pull(p.t, r, "web", "1.0.0")
	switch {
	case (found == nil) != (v == nil):
		p.t.Fatalf("the index has %v, the tag %v", v, found)
	case found == nil:
		return ""
	case m.Layers[0].Digest.Encoded() != v.Entry.Digest:
		p.t.Fatalf("the index has %s, the tag %s", v.Entry.Digest, m.Layers[0].Digest)
	}
	return found.Digest
}

// lenient lets in what has no provenance until it is strict.
type lenient struct{ strict atomic.Bool }

func (l *lenient) ID() string { return "" }
func (l *lenient) Vouch(prov []byte, _, _ string) error {
	if l.strict.Load() && prov == nil {
		return provenance.ErrUnsigned
	}
	return nil
}

// Where archives have to be signed, the tag of one that is there is not taken over by a
// manifest without its provenance.
func TestTagNeedsProvenance(t *testing.T) {
	trust := new(lenient)
	p := newPushingWith(t, trust)
	first := p.chart("text", "first")
	must(t, p.put(first, false))
	trust.strict.Store(true)
	if err := p.put(p.chart("text", "next"), true); !errors.Is(err, provenance.ErrUnsigned) {
		t.Errorf("got %v", err)
	}
	if got := p.consistent(); got != first.Digest {
		t.Errorf("the tag has %s", got)
	}
}

// Whatever fails while a chart is pushed or deleted, once or from then on, be it that the
// process ends then: index and tag agree, what was there is there or what comes is, and the
// next try succeeds.
func TestPushFaults(t *testing.T) {
	type step func(p *pushing) (first, next *Sent, do func() error)
	for name, prepare := range map[string]step{
		"new": func(p *pushing) (*Sent, *Sent, func() error) {
			next := p.chart("a", "1")
			return nil, next, func() error { return p.put(next, false) }
		},
		"replaces": func(p *pushing) (*Sent, *Sent, func() error) {
			first, next := p.chart("a", "1"), p.chart("b", "2")
			return first, next, func() error { return p.put(next, true) }
		},
		"the same archive": func(p *pushing) (*Sent, *Sent, func() error) {
			first, next := p.chart("a", "1"), p.chart("a", "2")
			return first, next, func() error { return p.put(next, false) }
		},
		"is refused": func(p *pushing) (*Sent, *Sent, func() error) {
			first, next := p.chart("a", "1"), p.chart("b", "2")
			return first, first, func() error {
				if err := p.put(next, false); !errors.Is(err, repo.ErrExists) {
					return fmt.Errorf("it is not refused: %w", err)
				}
				return nil
			}
		},
		"is deleted by tag": func(p *pushing) (*Sent, *Sent, func() error) {
			return p.chart("a", "1"), nil, func() error { return notThere(p.DeleteTag(p.t.Context(), "1.0.0")) }
		},
		"is deleted by digest": func(p *pushing) (*Sent, *Sent, func() error) {
			first := p.chart("a", "1")
			return first, nil, func() error { return notThere(p.DeleteManifest(p.t.Context(), first.Digest)) }
		},
	} {
		for _, mode := range []string{"once", "from then on", "ended"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					if !faulty(t, n, mode, prepare) {
						if n < 4 {
							t.Errorf("only %d operations", n-1)
						}
						return
					}
				}
			})
		}
	}
}

// notThere is what is left of the second try to delete what the first one has deleted.
func notThere(err error) error {
	if errors.Is(err, ErrNoManifest) || errors.Is(err, repo.ErrNoVersion) {
		return nil
	}
	return err
}

// faulty has operation n fail; it reports whether there is one.
func faulty(t *testing.T, n int, mode string, prepare func(*pushing) (first, next *Sent, do func() error)) bool {
	p := newPushing(t)
	first, next, do := prepare(p)
	var before, after digest.Digest
	if first != nil {
		must(t, p.put(first, false))
		before = p.consistent()
	}
	if next != nil {
		after = next.Digest
	}
	asked := 0
	p.fail(func() error {
		if asked++; asked == n || asked > n && mode != "once" {
			return &fs.PathError{Op: "test", Path: "x", Err: fs.ErrPermission}
		}
		return nil
	})
	err := do()
	p.fail(nil)
	if mode == "ended" {
		p.stop()
		p.start()
	}
	got := p.consistent()
	if got != after && (err == nil || got != before) {
		t.Errorf("operation %d: %v; the tag has %s, not %s or %s", n, err, got, before, after)
	}
	if asked < n {
		if err != nil || got != after {
			t.Errorf("nothing fails: %v, the tag has %s, not %s", err, got, after)
		}
		return false
	}
	if err := do(); err != nil || p.consistent() != after {
		t.Errorf("operation %d: the next try: %v, the tag has %s, not %s", n, err, p.consistent(), after)
	}
	return true
}

// A manifest that is there by its digest stays there, wherever the process ends that gives it
// its tag, as helm push does.
func TestPushedByDigestStays(t *testing.T) {
	for n, more := 1, true; more; n++ {
		p := newPushing(t)
		next := p.chart("a", "1")
		must(t, p.Put(t.Context(), "", next, repo.PublishOptions{}))
		asked := 0
		p.fail(func() error {
			if asked++; asked >= n {
				return &fs.PathError{Op: "test", Path: "x", Err: fs.ErrPermission}
			}
			return nil
		})
		err := p.put(next, false)
		p.fail(nil)
		p.stop()
		p.start()
		if found, ferr := p.registry().ManifestByDigest("web", next.Digest); found == nil || ferr != nil {
			t.Errorf("operation %d: %v; afterwards it is not there: %v", n, err, ferr)
		}
		p.consistent()
		must(t, p.put(next, false))
		if got := p.consistent(); got != next.Digest {
			t.Errorf("operation %d: the tag has %s", n, got)
		}
		more = asked >= n
	}
}

// A chart's blobs that nobody uploaded are the repository's own files, be they replaced while
// they are linked.
func TestPushOfOwnFiles(t *testing.T) {
	p := newPushing(t)
	one, two := p.chart("a", "1"), p.chart("b", "2")
	must(t, p.put(one, false))
	stale := p.r.View()
	must(t, p.put(two, true))
	for _, d := range one.blobs() {
		must(t, p.Layout.DropBlob(p.Name, d.Digest))
	}
	looks := 0
	p.View = func() *repo.View {
		if looks++; looks < 3 {
			return stale
		}
		return p.r.View()
	}
	config := p.blob(`{"name":"web"}`)
	config.MediaType = ConfigType
	next := sent(t, &ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{{MediaType: ChartType, Digest: one.Layers[0].Digest, Size: one.Layers[0].Size}}})
	must(t, p.Put(t.Context(), "", next, repo.PublishOptions{}))
	if found, _ := pull(t, p.registry(), "web", string(next.Digest)); found == nil || looks < 3 {
		t.Errorf("got %v after %d looks", found, looks)
	}
}

// Who deletes a manifest by its digest, and waits for a push of the same version, does not
// delete what that has published.
func TestDeleteWaitsForPush(t *testing.T) {
	p := newPushing(t)
	first, next := p.chart("a", "1"), p.chart("b", "2")
	must(t, p.put(first, false))
	done, err := p.turn(t.Context(), "1.0.0")
	must(t, err)
	deleted := make(chan error, 1)
	go func() { deleted <- p.DeleteManifest(t.Context(), first.Digest) }()
	waits := func() bool {
		p.Turns.mu.Lock()
		defer p.Turns.mu.Unlock()
		return p.Turns.held[":web:1.0.0"].users == 2
	}
	for !waits() {
		time.Sleep(time.Millisecond)
	}
	must(t, p.publish(t.Context(), next.chart("1.0.0"), repo.PublishOptions{Overwrite: true}))
	done()
	must(t, <-deleted)
	if got := p.consistent(); got != next.Digest {
		t.Errorf("the tag has %q, want %s", got, next.Digest)
	}
	if got, err := p.registry().ManifestByDigest("web", first.Digest); got != nil && got.Digest == first.Digest || err != nil {
		t.Errorf("what was deleted is there: %+v, %v", got, err)
	}
}
