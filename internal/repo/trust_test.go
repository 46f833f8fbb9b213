package repo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
)

// trusted counts what it is asked, and may be given other keys.
type trusted struct {
	ring  *provenance.Keyring
	asked atomic.Int64
}

func (k *trusted) ID() string { return k.ring.ID() }
func (k *trusted) Vouch(prov []byte, file, digest string) error {
	k.asked.Add(1)
	return k.ring.Vouch(prov, file, digest)
}

// signedArchive is an archive and its provenance, in files of that path.
func signedArchive(t *testing.T, s *signer, path, name, version string) map[string]string {
	t.Helper()
	data := archiveOf(t, name, version)
	md := &chart.Metadata{APIVersion: "v2", Name: name, Version: version}
	prov, err := s.Sign(md, md.ArchiveName(), digestOf(data))
	must(t, err)
	return map[string]string{path: string(data), path + ".prov": string(prov)}
}

// What others made is published only while its provenance verifies: archives of a SOURCE,
// those in the folder, and uploads. What is built here needs none.
func TestTrust(t *testing.T) {
	ann, eve := newSigner(t, "ann", time.Time{}), newSigner(t, "eve", time.Time{})
	trust := &trusted{ring: ann.ring}
	f := newFixture(t)
	f.add(chartFiles("built", "built", "1.0.0"), signedArchive(t, ann, "good.tgz", "good", "1.0.0+x"), signedArchive(t, eve, "evil.tgz", "evil", "1.0.0"),
		map[string]string{"bare.tgz": string(archiveOf(t, "bare", "1.0.0"))})
	must(t, os.MkdirAll(f.repo, 0o755))
	write(t, f.repo, signedArchive(t, ann, "sub/here-1.0.0.tgz", "here", "1.0.0"))
	write(t, f.repo, map[string]string{"mine-1.0.0.tgz": string(archiveOf(t, "mine", "1.0.0"))})
	f.build()
	wantNames(t, f.names(), "bare-1.0.0", "built-1.0.0", "evil-1.0.0", "good-1.0.0+x", "here-1.0.0", "mine-1.0.0")

	f.opts.Trust = trust
	r := f.open() // the copies of evil and bare are in the folder already
	wantNames(t, f.names(), "built-1.0.0", "good-1.0.0+x", "here-1.0.0")
	got := reasons(r.Status())
	for _, want := range []string{
		"bare.tgz: not signed", "bare-1.0.0.tgz: not signed", "evil.tgz: signed by a key that is in no keyring",
		"evil-1.0.0.tgz: signed by a key", "mine-1.0.0.tgz: not signed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("failures: no %q in\n%s", want, got)
		}
	}
	if _, ok := r.View().File("mine-1.0.0.tgz"); ok {
		t.Error("what nobody vouches for is served")
	}
	// What is known is not asked about again, nor after a restart.
	must(t, r.Close())
	trust.asked.Store(0)
	r = f.open()
	if n := trust.asked.Load(); n != 5 { // those that were refused
		t.Errorf("asked %d times after a restart, want 5", n)
	}
	wantNames(t, f.names(), "built-1.0.0", "good-1.0.0+x", "here-1.0.0")

	pass := func(name string, want ...string) {
		t.Helper()
		must(t, r.pass(t.Context(), mail{change: changeOf(name)}))
		wantNames(t, f.names(), want...)
	}
	mine := signedArchive(t, ann, "mine-1.0.0.tgz", "mine", "1.0.0")["mine-1.0.0.tgz.prov"]
	write(t, f.repo, map[string]string{"mine-1.0.0.tgz.prov": mine})
	pass(filepath.Join(f.repo, "mine-1.0.0.tgz.prov"), "built-1.0.0", "good-1.0.0+x", "here-1.0.0", "mine-1.0.0")
	must(t, os.Remove(filepath.Join(f.repo, "sub/here-1.0.0.tgz.prov")))
	pass(filepath.Join(f.repo, "sub/here-1.0.0.tgz.prov"), "built-1.0.0", "good-1.0.0+x", "mine-1.0.0")
	f.add(map[string]string{"bare.tgz.prov": signedArchive(t, ann, "bare.tgz", "bare", "1.0.0")["bare.tgz.prov"]})
	pass(filepath.Join(f.tree, "bare.tgz.prov"), "bare-1.0.0", "built-1.0.0", "good-1.0.0+x", "mine-1.0.0")

	// Another keyring, as after SIGHUP.
	trust.ring = eve.ring
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "built-1.0.0", "evil-1.0.0")
}

// An upload is vouched for once, and by another keyring once more.
func TestUploadIsVouchedForOnce(t *testing.T) {
	ann, eve := newSigner(t, "ann", time.Time{}), newSigner(t, "eve", time.Time{})
	trust := &trusted{ring: ann.ring}
	f := newFixture(t)
	f.setOptions(Options{Trust: trust})
	r := f.open()
	must(t, r.pass(t.Context(), rescan()))
	up := signedArchive(t, ann, "x", "up", "1.0.0")
	o := withProvenance(up["x.prov"])
	must(t, pass(r, o, func(u *upload) error { return r.stageArchive(u, strings.NewReader(up["x"]), o) }))
	for range 2 {
		must(t, r.pass(t.Context(), rescan()))
	}
	if n := trust.asked.Load(); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
	must(t, r.saveState())
	must(t, r.Close())
	r = f.open()
	must(t, r.pass(t.Context(), rescan()))
	if n := trust.asked.Load(); n != 1 {
		t.Errorf("asked %d times with a restart, want 1", n)
	}
	wantNames(t, f.names(), "up-1.0.0")
	other := string(provenanceOf("up", "1.0.0", []byte(up["x"]))) // signed by nobody
	write(t, f.repo, map[string]string{"up-1.0.0.tgz.prov": other})
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names())
	write(t, f.repo, map[string]string{"up-1.0.0.tgz.prov": up["x.prov"]})
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "up-1.0.0")
	trust.ring = eve.ring
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names())
}

// A provenance that is taken in stays good: one bound holds for all of them.
func TestTrustOfLongProvenance(t *testing.T) {
	ann := newSigner(t, "ann", time.Time{})
	f := newFixture(t)
	f.setOptions(Options{Trust: ann.ring})
	r := f.run().r
	up := signedArchive(t, ann, "x", "up", "1.0.0")
	long := up["x.prov"] + strings.Repeat("\n", provenance.MaxSize-len(up["x.prov"]))
	if _, err := r.Publish(t.Context(), strings.NewReader(up["x"]), withProvenance(long)); err != nil {
		t.Fatal(err)
	}
	other := newFixture(t)
	other.add(map[string]string{"up.tgz": up["x"], "up.tgz.prov": long})
	other.opts.Trust = ann.ring
	other.open()
	wantNames(t, other.names(), "up-1.0.0")
}

// An upload is published only when its provenance verifies; the uploader hears why not.
func TestTrustOfUploads(t *testing.T) {
	ann, eve := newSigner(t, "ann", time.Time{}), newSigner(t, "eve", time.Time{})
	f := newFixture(t)
	f.setOptions(Options{Trust: ann.ring})
	r := f.run().r
	good, evil := signedArchive(t, ann, "x", "up", "1.0.0"), signedArchive(t, eve, "x", "up", "1.1.0")
	for name, c := range map[string]struct {
		archive, prov string
		want          error
	}{
		"good":            {good["x"], good["x.prov"], nil},
		"none":            {string(archiveOf(t, "up", "1.2.0")), "", provenance.ErrUnsigned},
		"another key":     {evil["x"], evil["x.prov"], provenance.ErrKey},
		"another archive": {evil["x"], good["x.prov"], provenance.ErrArchive},
	} {
		var o PublishOptions
		if c.prov != "" {
			o = withProvenance(c.prov)
		}
		if _, err := r.Publish(t.Context(), bytes.NewReader([]byte(c.archive)), o); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	denied := errors.New("denied")
	for name, o := range map[string]PublishOptions{"none": {}, "another key": withProvenance(evil["x.prov"])} {
		o.Check = func(*chart.Metadata) error { return denied }
		if _, err := r.Publish(t.Context(), strings.NewReader(evil["x"]), o); !errors.Is(err, denied) {
			t.Errorf("%s, from who may not: got %v", name, err)
		}
	}
	wantNames(t, f.names(), "up-1.0.0")
	again, err := r.Publish(t.Context(), strings.NewReader(good["x"]), PublishOptions{})
	if err != nil || !again.Unchanged {
		t.Errorf("what is there, without its provenance: %+v, %v", again, err)
	}
	if _, err := r.Publish(t.Context(), strings.NewReader(good["x"]), PublishOptions{Signed: true}); !errors.Is(err, provenance.ErrUnsigned) {
		t.Errorf("what is there, and has to bring its provenance: got %v", err)
	}
	next := signedArchive(t, ann, "x", "up", "2.0.0") // the pass of which looks at the first again
	_, err = r.Publish(t.Context(), bytes.NewReader([]byte(next["x"])), withProvenance(next["x.prov"]))
	must(t, err)
	wantNames(t, f.names(), "up-1.0.0", "up-2.0.0")
}

// What is sent again without its provenance is refused where it has gone meanwhile.
func TestTrustOfWhatWasThere(t *testing.T) {
	ann := newSigner(t, "ann", time.Time{})
	for name, before := range map[string]func(f *fixture, r *Repository){
		"removed": func(_ *fixture, r *Repository) {
			must(t, r.pass(t.Context(), mail{removals: []*removal{{outcome: newOutcome(), id: ident{"up", "1.0.0"}}}}))
		},
		"its provenance removed": func(f *fixture, r *Repository) {
			must(t, os.Remove(filepath.Join(f.repo, "up-1.0.0.tgz.prov")))
			must(t, r.pass(t.Context(), rescan()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.setOptions(Options{Trust: ann.ring})
			r := f.open()
			must(t, r.pass(t.Context(), rescan()))
			up := signedArchive(t, ann, "x", "up", "1.0.0")
			o := withProvenance(up["x.prov"])
			must(t, pass(r, o, func(u *upload) error { return r.stageArchive(u, strings.NewReader(up["x"]), o) }))
			again, err := r.newUpload(PublishOptions{}, func(u *upload) error { return r.stageArchive(u, strings.NewReader(up["x"]), PublishOptions{}) })
			must(t, err)
			before(f, r)
			_ = r.pass(t.Context(), mail{uploads: []*upload{again}})
			if !errors.Is(again.err, provenance.ErrUnsigned) {
				t.Errorf("got %v", again.err)
			}
			wantNames(t, f.names())
		})
	}
}
