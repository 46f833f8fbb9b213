package repo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"chartserve/internal/watch"
)

// history is a random sequence of what people do to charts.
type history struct {
	*fixture
	rng     *rand.Rand
	changed []string // paths, as the watcher would report them
	rescan  bool
}

var (
	someNames    = []string{"a", "b", "c", "d", "e", "f"}
	someVersions = []string{"0.1.0", "1.0.0", "1.1.0", "1.1.0+x", "1.2.0-rc.1", "2.0.0"}
	someRanges   = []string{"*", "^1", ">=_0.1.0", "~1.1", "1.0.0", "2.x", ">0.0.0-0"}
)

func (h *history) pick(list []string) string { return list[h.rng.IntN(len(list))] }

// step changes one thing.
func (h *history) step() {
	dir := fmt.Sprintf("dir%d", h.rng.IntN(8))
	path := filepath.Join(h.tree, dir)
	_, err := os.Stat(path)
	exists := err == nil
	switch n := h.rng.IntN(10); {
	case n < 5 || !exists:
		var deps []string
		for range h.rng.IntN(3) {
			repository := "http://localhost:8879/charts"
			if h.rng.IntN(2) == 0 {
				repository = fmt.Sprintf("file://../dir%d", h.rng.IntN(8))
			}
			deps = append(deps, h.pick(someNames)+" "+h.pick(someRanges)+" "+repository)
		}
		h.add(chartFiles(dir, h.pick(someNames), h.pick(someVersions), deps...))
		if exists {
			h.changed = append(h.changed, filepath.Join(path, "Chart.yaml"), filepath.Join(path, "templates", "cm.yaml"))
		} else {
			h.changed = append(h.changed, path)
		}
	case n < 7:
		h.add(map[string]string{dir + "/templates/cm.yaml": fmt.Sprintf("x: %d\n", h.rng.IntN(5))})
		h.changed = append(h.changed, filepath.Join(path, "templates", "cm.yaml"))
	case n < 8:
		h.add(map[string]string{dir + "/Chart.yaml": "apiVersion: v2\nname: [\n"})
		h.changed = append(h.changed, filepath.Join(path, "Chart.yaml"))
	case n < 9:
		h.remove(dir)
		h.changed, h.rescan = append(h.changed, path), true
	default:
		to := fmt.Sprintf("dir%d", h.rng.IntN(8))
		if _, err := os.Stat(filepath.Join(h.tree, to)); err != nil {
			must(h.t, os.Rename(path, filepath.Join(h.tree, to)))
			h.changed, h.rescan = append(h.changed, path, filepath.Join(h.tree, to)), true
		}
	}
}

// TestAnyHistoryEndsAsABuildFromNothing: whatever happened to the charts, in
// whatever order, with restarts between, the repository ends with the archives
// that a build of the final tree makes. It may keep more only for charts that
// such a build can't make: their last good ones.
func TestAnyHistoryEndsAsABuildFromNothing(t *testing.T) {
	runs := 60
	if testing.Short() {
		runs = 10
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := &history{fixture: newFixture(t), rng: rand.New(rand.NewPCG(uint64(seed), 307))}
			h.opts.Prune = true
			h.live()
			got := h.index()
			h.checkWhole()

			h.repo += ".new"
			st := h.build()
			want := h.index()
			for name, digest := range want {
				if got[name] != digest {
					t.Errorf("%s has digest %q, a build from nothing gives %q\nfailures: %s", name, got[name], digest, reasons(st))
				}
			}
			if len(st.Failures) == 0 && len(got) != len(want) {
				t.Errorf("got %v, a build from nothing gives %v", got, want)
			}
		})
	}
}

// live plays the history against one repository folder.
func (h *history) live() {
	ctx := context.Background()
	r, err := Open(h.repo, h.opts)
	must(h.t, err)
	must(h.t, r.pass(ctx, mail{change: watch.Change{Rescan: true}}))
	for range 25 {
		for range 1 + h.rng.IntN(3) {
			h.step()
		}
		if h.rng.IntN(6) == 0 { // a restart that meets changes
			must(h.t, r.Close())
			r, err = Open(h.repo, h.opts)
			must(h.t, err)
			h.rescan = true
		}
		must(h.t, r.pass(ctx, mail{change: watch.Change{Paths: h.changed, Rescan: h.rescan}}))
		h.changed, h.rescan = nil, false
	}
	// Archives that were used for want of a live chart are gone with a last look.
	must(h.t, r.pass(ctx, mail{change: watch.Change{Rescan: true}}))
	must(h.t, r.Close())
}
