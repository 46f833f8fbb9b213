//go:build linux

package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	stormClients = 8
	stormCollect = 5 // so many kills from one chartserve gc to the next
)

// storm is clients that upload, push, replace and delete versions of charts, and images, of
// their own while the server is killed.
type storm struct {
	t       *testing.T
	repo    string
	random  *rand.Rand
	seq     atomic.Int64
	clients [stormClients]*stormClient
	layout  *layoutFolder

	answered, unanswered, orphans, resumed, collected int
}

// TestUploadStorm: what was answered with 201 is there after a hard kill, with its bytes,
// its provenance and its manifest, and what was deleted is not; what was not answered is
// there whole or not at all; nothing else is, and the index is what the folder holds. Uploads
// of blobs go on, and chartserve gc removes nothing that is referred to, and all else.
func TestUploadStorm(t *testing.T) {
	t.Parallel()
	st := &storm{t: t, repo: filepath.Join(t.TempDir(), "repo"), random: newRandom(t)}
	st.layout = &layoutFolder{dir: filepath.Join(st.repo, ".oci"), known: map[string]bool{}}
	for c := range st.clients {
		st.clients[c] = newStormClient(t, c, &st.seq, st.random)
	}
	s := st.launch()
	kills := pick(20, 1000)
	for n := range kills {
		st.strike(s)
		if n%stormCollect == stormCollect-1 {
			st.collect()
		}
		s = st.launch()
		if err := st.check(s, n == kills-1); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
	s.stop()
	st.collect()
	t.Logf("%d kills: %d answers kept, %d requests cut off, %d uploads of blobs resumed, %d blobs and uploads collected, %d provenances left without their archive, not served",
		kills, st.answered, st.unanswered, st.resumed, st.collected, st.orphans)
	if st.answered < kills || st.unanswered < kills || st.resumed < kills/4 || st.collected == 0 {
		t.Error("hardly anything was answered, cut off, resumed or collected: this tested nothing")
	}
}

// launch has a server that the clients ask.
func (st *storm) launch() *server {
	s := launch(st.t, st.repo, "--allow-upload", "--allow-overwrite", "--keep-replaced", "24h")
	s.await()
	for _, c := range st.clients {
		c.connect(s)
	}
	return s
}

// strike kills s while all clients send.
func (st *storm) strike(s *server) {
	var clients sync.WaitGroup
	var answered, unanswered atomic.Int64
	for _, c := range st.clients {
		clients.Go(func() {
			for c.request() {
				answered.Add(1)
			}
			unanswered.Add(1)
		})
	}
	time.Sleep(20*time.Millisecond + time.Duration(st.random.Int64N(int64(180*time.Millisecond))))
	s.kill()
	clients.Wait()
	st.answered += int(answered.Load())
	st.unanswered += int(unanswered.Load())
}

// check compares what there is with what was answered, and goes on from that. Uploads of
// blobs are resumed, at the end all of them.
func (st *storm) check(s *server, end bool) error {
	want, listed := map[string]upload{}, s.index()
	for _, c := range st.clients {
		n, err := c.resume(end)
		if err != nil {
			return err
		}
		st.resumed += n
		for v := range c.versions {
			k := &c.versions[v]
			is, err := c.found(s, listed, k, fmt.Sprintf("%s-%s.tgz", c.chart, version(v)))
			if err != nil {
				return err
			}
			if is != nil {
				want[is.file()] = *is
			}
			*k = kept{[]*upload{is}, true}
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	if err := onlyUploads(s, want); err != nil {
		return err
	}
	// What was staged for an index.json is removed before the next one is.
	c, probe := st.clients[0], newImage(fmt.Sprint(st.seq.Add(1)), []string{"text/plain"}, []byte("probe"))
	if code, err := c.push("probe", "t", probe); err != nil || code != http.StatusCreated {
		return fmt.Errorf("a push after the start: status %d, %v", code, err)
	}
	if err := st.layout.check(false); err != nil {
		return err
	}
	return st.others(want)
}

// collect has chartserve gc remove what nothing refers to, all of which is old. Then nothing
// else is left but the uploads that a client knows of, and what was referred to is there: the
// next check shows it.
func (st *storm) collect() {
	st.t.Helper()
	uploads := map[string]bool{}
	for _, c := range st.clients {
		clear(c.has)
		c.begun = slices.DeleteFunc(c.begun, func(u *pushing) bool { return u.ending || u.location == "" })
		for _, u := range c.begun {
			uploads[filepath.Base(u.location)] = true
		}
	}
	must(st.t, st.layout.age(uploads))
	out, err := exec.Command(program(st.t), "gc", "--repo-path", st.repo, "--output", "json").Output()
	var done struct{ Blobs, Uploads int }
	must(st.t, errors.Join(err, json.Unmarshal(out, &done)))
	st.collected += done.Blobs + done.Uploads
	must(st.t, st.layout.check(true))
	must(st.t, st.layout.uploads(uploads))
}

// found is which of the uploads that may be there is served. A version that is not in the
// index is not there, though its archive can be had for a while.
func (c *stormClient) found(s *server, listed index, k *kept, file string) (*upload, error) {
	if _, ok := listed[strings.TrimSuffix(file, ".tgz")]; !ok {
		if slices.Contains(k.may, nil) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s is not in the index; answered: %v", file, k.sure)
	}
	code, data, err := s.try(file)
	if err != nil {
		return nil, err
	}
	provCode, prov, err := s.try(file + ".prov")
	if err != nil {
		return nil, err
	}
	if provCode != http.StatusOK {
		prov = nil
	}
	var all []*upload
	for _, u := range k.may {
		switch {
		case u == nil || code != http.StatusOK || digest(data) != digest(u.archive):
			continue
		case string(prov) == u.prov:
			all = append(all, u)
		case !k.sure && prov == nil: // the kill came between the two names
			with := *u
			with.prov = ""
			all = append(all, &with)
		}
	}
	if len(all) > 0 {
		return c.pulled(all)
	}
	return nil, fmt.Errorf("%s answers %d (%.12s), its provenance %d: none of the %d states that it may have; answered: %v", file, code, digest(data), provCode, len(k.may), k.sure)
}

// others checks that the folder has no file but archives, their provenance, the index and
// chartserve's own.
func (st *storm) others(want map[string]upload) error {
	entries, err := os.ReadDir(st.repo)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		archive, isProv := strings.CutSuffix(name, ".prov")
		u, known := want[archive]
		switch {
		case name == "index.yaml", strings.HasPrefix(name, "."), name == "by-digest", !isProv && known:
		case isProv && (!known || u.prov == ""):
			st.orphans++
		case isProv:
		default:
			return fmt.Errorf("%s is left in the folder", name)
		}
	}
	return nil
}
