package pkgr

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"testing"

	"chartserve/internal/chart"
)

func TestVerdicts(t *testing.T) {
	archive := archiveOf(t, good(member{name: "c/values.yaml", body: "\xef\xbb\xbfa: 1\nb: [2]\n"})...)
	k := NewChecker(Limits{})
	if _, err := k.Check(bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	want := []Verdict{{Digest: sha256.Sum256([]byte("a: 1\nb: [2]\n")), Nodes: 4}}
	wantDiff(t, "snapshot", k.Verdicts().Snapshot(), want)

	// What is remembered is not parsed again: this is not YAML at all.
	later := NewChecker(Limits{})
	later.Verdicts().Restore([]Verdict{{Digest: sha256.Sum256([]byte("a: [\n"))}})
	if _, err := later.Check(bytes.NewReader(archiveOf(t, good(member{name: "c/values.yaml", body: "a: [\n"})...))); err != nil {
		t.Errorf("a file that was restored as good: %v", err)
	}
	// What is bad is never remembered.
	_, err := later.Check(bytes.NewReader(archiveOf(t, good(member{name: "c/values.yaml", body: "- 1\n"})...)))
	wantError(t, err, chart.ErrFile)
	if n := len(later.Verdicts().Snapshot()); n != 1 {
		t.Errorf("%d verdicts, want the restored one", n)
	}
}

// The oldest are forgotten, the ones in use stay.
func TestVerdictsAreBounded(t *testing.T) {
	v := newVerdicts(10)
	digest := func(i int) [32]byte { return sha256.Sum256([]byte{byte(i), byte(i >> 8)}) }
	v.keep(digest(0), 7)
	for i := 1; i < 1000; i++ {
		v.keep(digest(i), i)
		if n, ok := v.known(digest(0)); !ok || n != 7 {
			t.Fatalf("after %d others what is asked for each time is forgotten", i)
		}
		if n := len(v.Snapshot()); n > 20 {
			t.Fatalf("%d are remembered", n)
		}
	}
	if _, ok := v.known(digest(1)); ok {
		t.Error("one that nobody asked for was never forgotten")
	}
	list := v.Snapshot()
	again := newVerdicts(20)
	again.Restore(list)
	wantDiff(t, "restored", again.Snapshot(), list)
}

func TestVerdictsAreShared(t *testing.T) {
	v := newVerdicts(5)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				digest := sha256.Sum256([]byte{byte(i * g)})
				v.keep(digest, i*g%256)
				if n, ok := v.known(digest); ok && n > 255 {
					t.Error("a number nobody kept")
				}
				v.Snapshot()
			}
		})
	}
	wg.Wait()
}
