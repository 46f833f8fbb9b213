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
	want := Verdicts{sha256.Sum256([]byte("a: 1\nb: [2]\n")): 4}
	wantDiff(t, "snapshot", k.Verdicts(), want)

	// What is remembered is not parsed again: this is not YAML at all.
	later := NewChecker(Limits{})
	later.Restore(Verdicts{sha256.Sum256([]byte("a: [\n")): 1})
	if _, err := later.Check(bytes.NewReader(archiveOf(t, good(member{name: "c/values.yaml", body: "a: [\n"})...))); err != nil {
		t.Errorf("a file that was restored as good: %v", err)
	}
	// What is bad is never remembered.
	_, err := later.Check(bytes.NewReader(archiveOf(t, good(member{name: "c/values.yaml", body: "- 1\n"})...)))
	wantError(t, err, chart.ErrFile)
	if n := len(later.Verdicts()); n != 1 {
		t.Errorf("%d verdicts, want the restored one", n)
	}
}

// The newest is known, however many came before it.
func TestVerdictsAreBounded(t *testing.T) {
	v := newVerdicts(10)
	for i := range 1000 {
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		v.keep(digest, i)
		if n, ok := v.known(digest); !ok || n != i {
			t.Fatalf("after %d others the newest is forgotten", i)
		}
		if n := len(v.snapshot()); n != min(i+1, 10) {
			t.Fatalf("%d are remembered after %d", n, i+1)
		}
	}
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
				v.snapshot()
			}
		})
	}
	wg.Wait()
}
