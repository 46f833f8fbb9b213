package repo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/store"
)

// What Remove takes out of the index is out of the folder too, and can be had for as long
// as what was pruned; what a SOURCE would bring back stays.
func TestRemove(t *testing.T) {
	f := newFixture(t)
	f.opts.KeepReplaced = time.Hour
	f.add(chartFiles("live", "live", "1.0.0"), chartFiles("old", "old", "1.0.0"))
	f.build()
	f.remove("old")
	r := f.run().r
	one := archiveOf(t, "up", "1.0.0")
	for _, data := range [][]byte{one, archiveOf(t, "up", "1.0.0+a"), archiveOf(t, "up", "1.0.1")} {
		o := PublishOptions{}
		if bytes.Equal(data, one) {
			o = withProvenance(provenanceOf("up", "1.0.0", one))
		}
		_, err := r.Publish(t.Context(), bytes.NewReader(data), o)
		must(t, err)
	}
	for _, c := range []struct {
		name, version string
		want          error
		text          string
		left          []string
	}{
		{"up", "1.0", ErrNoVersion, "up-1.0", []string{"live-1.0.0", "old-1.0.0", "up-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"none", "1.0.0", ErrNoVersion, "none-1.0.0", []string{"live-1.0.0", "old-1.0.0", "up-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"live", "1.0.0", ErrHeld, "live would bring it back", []string{"live-1.0.0", "old-1.0.0", "up-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"up", "1.0.0", nil, "", []string{"live-1.0.0", "old-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"up", "1.0.0", ErrNoVersion, "", []string{"live-1.0.0", "old-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"old", "1.0.0", nil, "", []string{"live-1.0.0", "up-1.0.0+a", "up-1.0.1"}},
		{"up", "1.0.1", nil, "", []string{"live-1.0.0", "up-1.0.0+a"}},
		{"up", "1.0.0+a", nil, "", []string{"live-1.0.0"}},
	} {
		err := r.Remove(t.Context(), c.name, c.version)
		if c.want == nil && err != nil || !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %s: %v", c.name, c.version, err)
		}
		wantNames(t, f.names(), c.left...)
		if there := r.View().Chart(c.name).Version(c.version) != nil; there != slices.Contains(c.left, c.name+"-"+c.version) {
			t.Errorf("%s %s: served: %v", c.name, c.version, there)
		}
	}
	for _, name := range []string{"up-1.0.0.tgz", "up-1.0.0.tgz.prov"} {
		if _, err := os.Stat(filepath.Join(f.repo, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is in the folder: %v", name, err)
		}
		for _, at := range []string{name, store.Address(digestOf(one), name)} {
			if _, ok := r.View().File(at); !ok {
				t.Errorf("%s can't be had any more", at)
			}
		}
	}
	if why := r.Status().Changes[0].Because; why != "removal" {
		t.Errorf("changed because of %q", why)
	}
}

// Of several requests for one version each sees what became of those before it.
func TestRemoveAtOnce(t *testing.T) {
	f := newFixture(t)
	r := f.run().r
	const n = 50
	var all sync.WaitGroup
	var mu sync.Mutex
	removed := 0
	for i := range n {
		data := archiveOf(t, "up", fmt.Sprintf("1.0.%d", i))
		_, err := r.Publish(t.Context(), bytes.NewReader(data), PublishOptions{})
		must(t, err)
		for range 2 {
			all.Go(func() {
				err := r.Remove(t.Context(), "up", fmt.Sprintf("1.0.%d", i))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					removed++
				} else if !errors.Is(err, ErrNoVersion) {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if removed != n || r.View().Chart("up") != nil {
		t.Errorf("%d of %d were removed", removed, n)
	}
	data := archiveOf(t, "up", "1.0.0")
	_, err := r.Publish(t.Context(), bytes.NewReader(data), PublishOptions{})
	must(t, err)
	var twice mail // in one pass
	for range 2 {
		twice.removals = append(twice.removals, &removal{outcome: newOutcome(), id: ident{"up", "1.0.0"}})
	}
	if !r.mail.post(twice) {
		t.Fatal("closed")
	}
	must(t, twice.removals[0].wait(t.Context()))
	if err := twice.removals[1].wait(t.Context()); !errors.Is(err, ErrNoVersion) {
		t.Errorf("removed twice: %v", err)
	}
	m := f.upload(r, data, PublishOptions{})
	rm := &removal{outcome: newOutcome(), id: ident{"up", "1.0.0"}}
	m.removals = []*removal{rm}
	if !r.mail.post(m) {
		t.Fatal("closed")
	}
	must(t, m.uploads[0].wait(t.Context()))
	must(t, rm.wait(t.Context()))
	if r.View().Chart("up") != nil {
		t.Error("what was uploaded and then removed is there")
	}
}
