package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/store"
)

// What Publish acknowledges is what the next request gets, and is on disk; others that
// come at the same time share its pass.
func TestPublish(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("live", "live", "1.0.0"))
	r := f.run().r
	const n = 100
	var all sync.WaitGroup
	for i := range n {
		data := archiveOf(t, "up", fmt.Sprintf("1.0.%d", i))
		all.Go(func() {
			done, err := r.Publish(t.Context(), bytes.NewReader(data), PublishOptions{})
			name := fmt.Sprintf("up-1.0.%d.tgz", i)
			if err != nil || done.Metadata.ArchiveName() != name || done.Digest != digestOf(data) || done.Unchanged {
				t.Errorf("%s: %v, %v", name, done, err)
				return
			}
			md := done.Metadata
			v := r.View()
			if file, ok := v.File(name); !ok || v.Chart("up").Version(md.Version) == nil {
				t.Errorf("%s is not served", name)
			} else if blob, ok := v.Blob(strings.Trim(file.ETag, `"`)); !ok || blob.Name != name {
				t.Errorf("%s is not found by its digest", name)
			}
			if got, err := os.ReadFile(filepath.Join(f.repo, name)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s on disk: %v", name, err)
			}
			if listed := f.index()[strings.TrimSuffix(name, ".tgz")]; listed == "" {
				t.Errorf("%s is not in index.yaml", name)
			}
		})
	}
	all.Wait()
	if got := len(r.View().Chart("up").Versions); got != n {
		t.Errorf("%d versions, want %d", got, n)
	}
	f.checkWhole()
}

// The same bytes again are fine, others are not, unless they may overwrite; what a SOURCE
// holds is never replaced. A refused upload leaves nothing.
func TestPublishRefuses(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("live", "live", "1.0.0"))
	r := f.run().r
	one, other := archiveOf(t, "up", "1.0.0"), archiveOf(t, "up", "1.0.0", map[string]string{"up/new": "1"})
	signedData := archiveOf(t, "up", "1.2.0")
	signedProv := provenanceOf("up", "1.2.0", signedData)
	cases := []struct {
		name string
		data []byte
		o    PublishOptions
		want error
		text string
	}{
		{name: "new", data: one},
		{name: "the same again", data: one},
		{name: "other bytes", data: other, want: ErrExists, text: "raise the version"},
		{name: "other bytes that may", data: other, o: PublishOptions{Overwrite: true}},
		{name: "what a source holds", data: archiveOf(t, "live", "1.0.0"), o: PublishOptions{Overwrite: true}, want: ErrHeld, text: "live"},
		{name: "no archive", data: []byte("<html>"), text: "gzip"},
		{name: "half", data: one[:len(one)-20], text: ""},
		{name: "no provenance", data: archiveOf(t, "up", "1.1.0"), o: withProvenance("x"), text: "no whole PGP signed message"},
		{name: "with provenance", data: signedData, o: withProvenance(signedProv)},
	}
	for _, c := range cases {
		_, err := r.Publish(t.Context(), bytes.NewReader(c.data), c.o)
		switch fails := c.want != nil || c.name == "no archive" || c.name == "half" || c.name == "no provenance"; {
		case fails != (err != nil), c.want != nil && !errors.Is(err, c.want), err != nil && !strings.Contains(err.Error(), c.text):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	wantNames(t, f.names(), "live-1.0.0", "up-1.0.0", "up-1.2.0")
	if file, ok := r.View().File("up-1.2.0.tgz.prov"); !ok || file.Size != int64(len(signedProv)) {
		t.Error("the provenance is not served")
	}
	for _, name := range []string{"up-1.0.0.tgz", "live-1.0.0.tgz"} {
		if v := r.View(); v.Chart(strings.Split(name, "-")[0]).Versions[0].Live != (name == "live-1.0.0.tgz") {
			t.Errorf("%s: live or not", name)
		}
	}
	left, err := filepath.Glob(filepath.Join(f.repo, ".tmp-*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Of several uploads of one version with different bytes exactly one wins.
func TestPublishRace(t *testing.T) {
	f := newFixture(t)
	r := f.run().r
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 20 {
		data := archiveOf(t, "up", "1.0.0", map[string]string{"up/n": fmt.Sprint(i)})
		all.Go(func() {
			_, err := r.Publish(t.Context(), bytes.NewReader(data), PublishOptions{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

// Several uploads of one version in one pass are taken one after the other: the last that
// may overwrite wins, and provenance that comes with the same bytes is taken.
func TestPublishOneVersionAtOnce(t *testing.T) {
	f := newFixture(t)
	f.opts.KeepReplaced = time.Hour
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	one, other := archiveOf(t, "up", "1.0.0"), archiveOf(t, "up", "1.0.0", map[string]string{"up/new": "1"})
	var all sync.WaitGroup
	publish := func(data []byte, o PublishOptions) {
		before := r.mail.count()
		all.Go(func() {
			_, err := r.Publish(t.Context(), bytes.NewReader(data), o)
			if err != nil {
				t.Error(err)
			}
		})
		for r.mail.count() == before {
			time.Sleep(time.Millisecond)
		}
	}
	publish(one, PublishOptions{})
	publish(one, withProvenance(provenanceOf("up", "1.0.0", one)))
	publish(other, PublishOptions{Overwrite: true})
	for passes := 0; r.mail.count() > 0; passes++ {
		m := r.mail.take()
		m.change.Rescan = passes == 0
		must(t, r.pass(t.Context(), m))
	}
	all.Wait()
	if got := r.View().Chart("up").Versions[0].Entry.Digest; got != digestOf(other) {
		t.Errorf("digest %s, want that of the last", got)
	}
	if _, ok := r.View().File("up-1.0.0.tgz.prov"); ok {
		t.Error("the provenance of other bytes is still served")
	}
	if _, ok := r.View().File(store.Address(digestOf(one), "up-1.0.0.tgz.prov")); !ok {
		t.Error("the provenance of what was replaced is not kept with that")
	}
}

// withProvenance are the options of an upload with that provenance.
func withProvenance(text string) PublishOptions {
	return PublishOptions{Provenance: func() ([]byte, error) { return []byte(text), nil }}
}

// provenanceOf is the provenance of an archive, with a signature that nobody made.
func provenanceOf(name, version string, archive []byte) string {
	return fmt.Sprintf("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: %[1]s\nversion: %[2]s\n\n...\n"+
		"files:\n  %[1]s-%[2]s.tgz: sha256:%[3]s\n-----BEGIN PGP SIGNATURE-----\n\n%[4]s\n-----END PGP SIGNATURE-----\n",
		name, version, digestOf(archive), base64.StdEncoding.EncodeToString([]byte(name+version)))
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Whoever waits when the repository is closed gets an answer.
func TestPublishAtTheEnd(t *testing.T) {
	f := newFixture(t)
	r, err := Open(f.repo, f.opts)
	must(t, err)
	data := archiveOf(t, "up", "1.0.0")
	got := make(chan error, 1)
	go func() {
		_, err := r.Publish(context.Background(), bytes.NewReader(data), PublishOptions{})
		got <- err
	}()
	for r.mail.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	must(t, r.Close())
	if err := <-got; !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Publish(context.Background(), bytes.NewReader(data), PublishOptions{}); err == nil {
		t.Error("published into a closed repository")
	}
}

func (b *mailbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mail.uploads)
}

// An upload belongs to its uploader: it stays though the chart that had its version is
// pruned, in the same pass or later.
func TestUploadOutlivesPrunedSource(t *testing.T) {
	for _, together := range []bool{true, false} {
		f := newFixture(t)
		f.opts.Now, f.opts.Prune = settledNow, together
		f.add(chartFiles("a", "a", "1.0.0"))
		r := f.open()
		f.remove("a")
		if !together {
			must(t, r.pass(t.Context(), rescan()))
		}
		m := f.upload(r, archiveOf(t, "a", "1.0.0"), PublishOptions{})
		m.change.Rescan = true
		must(t, r.pass(t.Context(), m))
		must(t, m.uploads[0].err)
		wantNames(t, f.names(), "a-1.0.0")
		must(t, r.Close())
		f.opts.Prune = true
		f.build()
		wantNames(t, f.names(), "a-1.0.0")
		f.checkWhole()
	}
}

// upload is the mail of an upload.
func (f *fixture) upload(r *Repository, archive []byte, o PublishOptions) mail {
	f.t.Helper()
	u, err := r.newUpload(o, func(u *upload) error { return r.stageArchive(u, bytes.NewReader(archive), o) })
	must(f.t, err)
	return mail{uploads: []*upload{u}}
}

// An upload that a pass was to publish when the server stopped hears that it stopped, and
// leaves nothing.
func TestUploadInACutOffPass(t *testing.T) {
	f := newFixture(t)
	r := f.open()
	ended, cancel := context.WithCancel(t.Context())
	m := f.upload(r, archiveOf(t, "up", "1.0.0"), PublishOptions{})
	cancel()
	if err := r.pass(ended, m); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := m.uploads[0].err; !errors.Is(err, ErrStopped) {
		t.Errorf("the uploader heard %v", err)
	}
	if left := temporary(t, f.repo); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
