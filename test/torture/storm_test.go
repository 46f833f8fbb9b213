//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	stormClients  = 8
	stormVersions = 6 // of each client's chart
)

// kept is what a version may be after all answers so far: uploads, of which a nil one is
// that it is not there. One that an answer was given of is alone.
type kept struct {
	may []*upload
	// sure says that the last request was answered.
	sure bool
}

// storm is clients that upload, replace and delete versions of charts of their own while
// the server is killed.
type storm struct {
	t      *testing.T
	repo   string
	random *rand.Rand
	seq    atomic.Int64
	has    [stormClients][stormVersions]kept

	answered, unanswered, orphans int
}

// TestUploadStorm: what was answered with 201 is there after a hard kill, with its bytes
// and its provenance, and what was deleted is not; what was not answered is there whole or
// not at all; nothing else is, and the index is what the folder holds.
func TestUploadStorm(t *testing.T) {
	t.Parallel()
	st := &storm{t: t, repo: filepath.Join(t.TempDir(), "repo"), random: newRandom(t)}
	for c := range st.has {
		for v := range st.has[c] {
			st.has[c][v] = kept{[]*upload{nil}, true}
		}
	}
	s := launch(t, st.repo, "--allow-upload")
	s.await()
	kills := pick(15, 1000)
	for n := range kills {
		st.strike(s)
		s = launch(t, st.repo, "--allow-upload")
		s.await()
		if err := st.check(s); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
	s.stop()
	t.Logf("%d kills: %d answers kept, %d requests cut off, %d provenances left without their archive, not served", kills, st.answered, st.unanswered, st.orphans)
	if st.answered < kills || st.unanswered < kills {
		t.Error("hardly anything was answered, or cut off: this tested nothing")
	}
}

// strike kills s while all clients send.
func (st *storm) strike(s *server) {
	var clients sync.WaitGroup
	var answered, unanswered atomic.Int64
	for c := range stormClients {
		own := rand.New(rand.NewPCG(st.random.Uint64(), 1))
		client := newClient(st.t)
		clients.Go(func() {
			defer client.CloseIdleConnections()
			for st.request(client, s.url, c, own) {
				answered.Add(1)
			}
			unanswered.Add(1)
		})
	}
	time.Sleep(20*time.Millisecond + time.Duration(st.random.Int64N(int64(80*time.Millisecond))))
	s.kill()
	clients.Wait()
	st.answered += int(answered.Load())
	st.unanswered += int(unanswered.Load())
}

// request has the c-th client change one of its versions. False: there was no answer.
func (st *storm) request(client *http.Client, base string, c int, random *rand.Rand) bool {
	v := random.IntN(stormVersions)
	k := &st.has[c][v]
	name, version := fmt.Sprintf("storm%d", c), fmt.Sprintf("1.%d.0", v)
	was := k.may[0]
	var next *upload
	code, err := 0, error(nil)
	if was != nil && random.IntN(3) == 0 {
		k.may, k.sure = append(k.may, nil), false
		code, err = exchange(client, http.MethodDelete, base+"/api/charts/"+name+"/"+version, "", nil)
	} else {
		u := newUpload(st.t, name, version, int(st.seq.Add(1)), random.IntN(30_000), random.IntN(2) == 0)
		next = &u
		k.may, k.sure = append(k.may, next), false
		code, err = u.post(client, base, "?force")
	}
	if err != nil {
		return false
	}
	if want := map[bool]int{true: 200, false: 201}[next == nil]; code != want {
		st.t.Errorf("%s %s: status %d, want %d", name, version, code, want)
		return false
	}
	*k = kept{[]*upload{next}, true}
	return true
}

// check compares what there is with what was answered, and goes on from that.
func (st *storm) check(s *server) error {
	want, listed := map[string]upload{}, s.index()
	for c := range st.has {
		for v := range st.has[c] {
			k := &st.has[c][v]
			is, err := st.found(s, listed, k, fmt.Sprintf("storm%d-1.%d.0.tgz", c, v))
			if err != nil {
				return err
			}
			if is != nil {
				want[is.file()] = *is
			}
			*k = kept{[]*upload{is}, true}
		}
	}
	if err := onlyUploads(s, want); err != nil {
		return err
	}
	return st.others(want)
}

// found is which of the uploads that may be there is served. A version that is not in the
// index is not there, though its archive can be had for a while.
func (st *storm) found(s *server, listed index, k *kept, file string) (*upload, error) {
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
	for _, u := range k.may {
		switch {
		case u == nil || code != http.StatusOK || digest(data) != digest(u.archive):
			continue
		case string(prov) == u.prov:
			return u, nil
		case !k.sure && prov == nil: // the kill came between the two names
			with := *u
			with.prov = ""
			return &with, nil
		}
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
