package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/access"
	"chartserve/internal/repo"
	"chartserve/internal/repos"
)

var (
	someNames    = []string{"a", "b", "web-x", "Big"} // the last is none of a registry's
	someVersions = []string{"1.0.0", "1.0.0+a", "1.1.0", "2.0.0-rc.1"}
	otherNames   = []string{"a", "b", "img/x"} // of artifacts, beside those that are charts
	otherTags    = []string{"1.0.0", "latest"}
)

// world is a server of two repositories that one writer changes in all ways, and what that
// was told.
type world struct {
	t         *testing.T
	rng       *rand.Rand
	dir, tree string
	keep      time.Duration
	overwrite bool
	retire    bool // one of the repositories keeps few versions
	guard     *access.Guard
	held      []*held

	serving  sync.RWMutex // held for writing while the server is stopped
	set      *repos.Set
	h        http.Handler
	stop     func()
	readings atomic.Int64
	// dropping is odd while a request goes on that may take manifests away.
	dropping atomic.Int64
	done     map[string]int // what was done, for the log
}

// servedSet is a repos.Set as the command serves it.
type servedSet struct{ *repos.Set }

func (s servedSet) Find(name string) (Repository, bool) {
	if r := s.Named(name); r != nil {
		return r, true
	}
	return nil, false
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 307)), dir: t.TempDir(), tree: t.TempDir(), overwrite: seed%2 == 0, retire: seed%4 == 0, done: map[string]int{},
		guard: guardOf(t, "", `- {names: [reader], rights: [read], charts: [a, "web-*"]}`),
	}
	if seed%3 != 0 {
		w.keep = time.Hour
	}
	for _, name := range []string{"", "team"} {
		w.held = append(w.held, &held{name, map[string]string{}, map[string]string{}, map[string]stored{}})
	}
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// start serves the folder.
func (w *world) start() {
	set, err := repos.Open(w.dir, repos.Options{Names: []string{"team"}, Repository: w.options})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- set.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := errors.Join(<-ended, set.Close()); err != nil {
			w.t.Error(err)
		}
	}
	<-set.Ready()
	w.set = set
	if w.h, err = New(set.Root(), Options{Repositories: servedSet{set}, Access: w.guard, Uploads: Uploads{Publisher: set.Root(), Overwrite: w.overwrite}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) options(name string) repo.Options {
	o := repo.Options{KeepReplaced: w.keep, Prune: true}
	if name == "" {
		o.Sources = []string{w.tree}
	} else if w.retire {
		o.Retention.Keep = 2
	}
	return o
}

func (w *world) repository(h *held) *repo.Repository {
	if h.name == "" {
		return w.set.Root()
	}
	return w.set.Named(h.name)
}

func (w *world) view(h *held) *repo.View { return w.repository(h).View() }

func (w *world) ask(who, method, target string, body []byte, header ...string) (*http.Response, []byte) {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Header.Set(as(who)[0], as(who)[1])
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	resp := rec.Result()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 {
		w.t.Errorf("%s %s: %s, %s, %v", method, target, resp.Status, data, err)
	}
	return resp, data
}

// write is ask for the writer, who is answered with one of these statuses.
func (w *world) write(method, target string, body []byte, header []string, want ...int) (code int, resp *http.Response) {
	w.t.Helper()
	resp, data := w.ask("all", method, target, body, header...)
	for _, code := range want {
		if resp.StatusCode == code {
			return code, resp
		}
	}
	w.t.Errorf("%s %s: got %s, %s, want %v", method, target, resp.Status, data, want)
	return resp.StatusCode, resp
}

func pickOf[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// archive is one of a few of each version.
func (w *world) archive() (name, version string, archive, prov []byte) {
	name, version = pickOf(w, someNames), pickOf(w, someVersions)
	archive = chartArchive(w.t, name, version, map[string]string{"values.yaml": fmt.Sprintf("x: %d\n", w.rng.IntN(2))})
	if w.rng.IntN(2) == 0 {
		prov = []byte(provenanceOf(name, version, archive))
	}
	return name, version, archive, prov
}

// TestOneTruth: whatever is done, by whom and in whatever order, index.yaml, index.json, the
// API, the page and the registry have the same charts with the same bytes, at every moment, in
// each repository, and for who may read some charts alone. What was pushed is there as it was.
func TestOneTruth(t *testing.T) {
	worlds, steps := 6, 40
	switch {
	case os.Getenv("TORTURE") == "long":
		worlds, steps = 300, 200
	case testing.Short():
		worlds = 2
	}
	for seed := range worlds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			newWorld(t, uint64(seed)).live(steps)
		})
	}
}

// live has readers compare while the writer works, who checks after each step.
func (w *world) live(steps int) {
	ended := make(chan bool)
	var readers sync.WaitGroup
	for who, may := range map[string]func(string) bool{"all": everything, "reader": someCharts} {
		readers.Go(func() {
			for n := 0; !w.t.Failed(); n++ {
				select {
				case <-ended:
					return
				default:
				}
				if err := w.agree(w.held[n%len(w.held)], who, may); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	for n := 0; n < steps && !w.t.Failed(); n++ {
		what := w.step()
		w.done[what]++
		for _, h := range w.held {
			if err := w.kept(h); err != nil {
				w.t.Errorf("step %d, %s: %v", n, what, err)
			}
		}
	}
	close(ended)
	readers.Wait()
	w.t.Logf("%d readings, %v", w.readings.Load(), w.done)
	if w.readings.Load() < int64(steps/4) {
		w.t.Error("hardly anything was compared")
	}
}

func everything(string) bool      { return true }
func someCharts(name string) bool { return name == "a" || strings.HasPrefix(name, "web-") }
