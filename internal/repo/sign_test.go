package repo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
)

// signer is a key that counts what it signs; it signs nothing while broken.
type signer struct {
	*provenance.Key
	ring   *provenance.Keyring
	signed atomic.Int64
	broken atomic.Bool
}

func (s *signer) Sign(md *chart.Metadata, file, digest string) ([]byte, error) {
	if s.broken.Load() {
		return nil, errors.New("no more signatures today")
	}
	s.signed.Add(1)
	return s.Key.Sign(md, file, digest)
}

// newSigner makes a key. Its signatures are of epoch, or of when they are made.
func newSigner(t testing.TB, name string, epoch time.Time) *signer {
	t.Helper()
	c := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }}
	e, err := openpgp.NewEntity(name, "", name+"@example.com", c)
	must(t, err)
	var b bytes.Buffer
	must(t, e.SerializePrivateWithoutSigning(&b, nil))
	s := &signer{ring: new(provenance.Keyring)}
	must(t, s.ring.Add(&b))
	s.Key, err = s.ring.Key(name, nil, epoch)
	must(t, err)
	return s
}

// provenances are the provenance files of the folder, each of which must be that of the
// archive beside it, by a key of the ring.
func (f *fixture) provenances(ring *provenance.Keyring) map[string]string {
	f.t.Helper()
	found := map[string]string{}
	for name, text := range published(f.t, f.repo) {
		archive, ok := strings.CutSuffix(name, ".prov")
		if !ok || strings.HasPrefix(name, digestFolder) {
			continue
		}
		sum := sha256.Sum256(mustRead(f.t, filepath.Join(f.repo, archive)))
		if err := ring.Vouch([]byte(text), archive, hex.EncodeToString(sum[:])); err != nil {
			f.t.Errorf("%s: %v", name, err)
		}
		found[name] = text
	}
	return found
}

// What is built is signed, once: a signature stays, byte for byte, until the archive or the
// key is another.
func TestSign(t *testing.T) {
	ann, bob := newSigner(t, "ann", time.Time{}), newSigner(t, "bob", time.Time{})
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0+x"), chartFiles("b", "b", "1.0.0", "a >=1.0.0-0 http://localhost:8879/charts"), chartFiles("c", "c", "1.0.0"),
		map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	f.build()
	digests, before := f.index(), map[string]string{}
	if got := f.provenances(ann.ring); len(got) > 0 {
		t.Fatalf("signed without a key: %v", got)
	}
	step := func(name string, signer *signer, signs int64, change func()) {
		t.Helper()
		if change != nil {
			change()
		}
		f.setOptions(Options{Signer: signer})
		signer.signed.Store(0)
		if st := f.build(); len(st.Failures) > 0 {
			t.Errorf("%s: %s", name, reasons(st))
		}
		got := f.provenances(signer.ring)
		if len(got) != 3 || got["x-1.0.0.tgz.prov"] != "" {
			t.Errorf("%s: signed are %d", name, len(got))
		}
		kept := 0
		for file, text := range got {
			if before[file] == text {
				kept++
			}
		}
		if n := signer.signed.Load(); n != signs || kept != 3-int(signs) {
			t.Errorf("%s: %d signatures were made and %d are as they were, want %d and %d", name, n, kept, signs, 3-signs)
		}
		before = got
	}
	step("switched on", ann, 3, nil)
	if got := f.index(); !maps.Equal(got, digests) {
		t.Errorf("the index changed: %v", got)
	}
	step("again", ann, 0, nil)
	step("the state is lost", ann, 0, func() { must(t, os.Remove(filepath.Join(f.repo, stateName))) })
	step("one is edited", ann, 1, func() { f.add(map[string]string{"c/new": "1"}) })
	step("a dependency is edited", ann, 2, func() { f.add(map[string]string{"a/new": "1"}) })
	step("one is lost", ann, 1, func() { time.Sleep(time.Second); must(t, os.Remove(filepath.Join(f.repo, "a-1.0.0+x.tgz.prov"))) })
	step("one is altered", ann, 1, func() {
		write(t, f.repo, map[string]string{"c-1.0.0.tgz.prov": strings.Replace(before["c-1.0.0.tgz.prov"], "name: c", "name: d", 1)})
		before["c-1.0.0.tgz.prov"] = ""
	})
	step("another key", bob, 3, nil)
	f.setOptions(Options{})
	f.build()
	if got := f.provenances(bob.ring); !maps.Equal(got, before) {
		t.Errorf("switched off: %d are as they should", len(got))
	}
}

// A chart that can't be signed keeps its last good archive, and the next pass tries again.
func TestSignFails(t *testing.T) {
	ann := newSigner(t, "ann", time.Time{})
	f := newFixture(t)
	f.setOptions(Options{Signer: ann})
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.open()
	before := f.index()
	ann.broken.Store(true)
	f.add(map[string]string{"a/new": "1"})
	must(t, r.pass(t.Context(), rescan()))
	if got := reasons(r.Status()); !strings.Contains(got, "a: no more signatures today") {
		t.Errorf("failures: %q", got)
	}
	if got := f.index(); !maps.Equal(got, before) || len(f.provenances(ann.ring)) != 1 {
		t.Errorf("published is %v", got)
	}
	ann.broken.Store(false)
	must(t, r.pass(t.Context(), rescan()))
	if got := f.index(); maps.Equal(got, before) || len(f.provenances(ann.ring)) != 1 || len(r.Status().Failures) > 0 {
		t.Errorf("then published is %v; %s", got, reasons(r.Status()))
	}
}

// An epoch makes signatures the same everywhere.
func TestSignWithEpoch(t *testing.T) {
	epoch := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ann := newSigner(t, "ann", epoch)
	var first map[string]string
	for range 2 {
		f := newFixture(t)
		f.setOptions(Options{Signer: ann, Timestamp: epoch})
		f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
		f.build()
		got := f.provenances(ann.ring)
		if first != nil && !maps.Equal(got, first) {
			t.Error("two repositories of the same sources have other signatures")
		}
		first = got
		time.Sleep(1100 * time.Millisecond)
	}
}
