//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// writers is all that changes one repository at once: clients that upload and delete, an
// editor of the SOURCE, mirror and prune. Each has chart names of its own, so that what the
// repository must hold in the end follows from the answers.
type writers struct {
	t    *testing.T
	s    *server
	tree string
	end  time.Time

	mu   sync.Mutex
	want map[string]string // NAME-VERSION to digest, but for the SOURCE
	done map[string]int    // what was done, for the log
}

const treeCharts = 5

// TestWritersAtOnce: uploads, deletions, edits of the SOURCE, prune and mirror at the same
// time. In the end each has what it was told, and the index is what the folder holds.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	w := &writers{t: t, tree: t.TempDir(), end: time.Now().Add(pick(6*time.Second, 2*time.Minute)), want: map[string]string{}, done: map[string]int{}}
	for i := range treeCharts {
		w.edit(i, 0)
	}
	w.s = serve(t, filepath.Join(t.TempDir(), "repo"), "--allow-upload", "--prune", w.tree)
	random := newRandom(t)
	var all sync.WaitGroup
	own := func(f func(*rand.Rand)) {
		r := rand.New(rand.NewPCG(random.Uint64(), 1))
		all.Go(func() { f(r) })
	}
	for c := range 4 {
		own(func(r *rand.Rand) { w.upload(r, fmt.Sprintf("up%d", c)) })
	}
	own(w.editAll)
	own(w.prune)
	own(w.mirror)
	all.Wait()
	for name, e := range w.treeIndex() {
		w.want[name] = e.Digest
	}
	until(t, settleTime, w.check)
	t.Logf("%v; %d versions in the end", w.done, len(w.want))
	for _, what := range []string{"uploaded", "deleted", "refused", "edited", "pruned", "mirrored"} {
		if w.done[what] < 3 {
			t.Errorf("hardly anything was %s: this tested nothing", what)
		}
	}
}

func (w *writers) busy() bool { return time.Now().Before(w.end) }

// note has name be digest in the end; empty: it is gone.
func (w *writers) note(what, name, digest string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[what]++
	switch {
	case digest != "":
		w.want[name] = digest
	case name != "":
		delete(w.want, name)
	}
}

// answered checks a status.
func (w *writers) answered(what string, code int, err error, want ...int) {
	for _, c := range want {
		if err == nil && code == c {
			return
		}
	}
	w.t.Errorf("%s: status %d, %v, want %v", what, code, err, want)
}

// upload uploads, replaces and deletes versions of one chart, and tries what is the
// SOURCE's.
func (w *writers) upload(random *rand.Rand, chart string) {
	c := newClient(w.t)
	for n := 1; w.busy(); n++ {
		u := newUpload(w.t, chart, fmt.Sprintf("1.%d.0", random.IntN(8)), n, random.IntN(20_000), n%2 == 0)
		id := u.name + "-" + u.version
		switch random.IntN(6) {
		case 0:
			code, err := exchange(c, http.MethodDelete, w.s.url+"/api/charts/"+u.name+"/"+u.version, "", nil)
			w.answered("delete "+id, code, err, 200, 404)
			w.note("deleted", id, "")
		case 1:
			held := newUpload(w.t, fmt.Sprintf("tree%d", random.IntN(treeCharts)), "1.0.0", n, 0, false)
			code, err := held.post(c, w.s.url, "?force")
			w.answered("upload of what the SOURCE has", code, err, 409)
			w.note("refused", "", "")
		default:
			code, err := u.post(c, w.s.url, "?force")
			w.answered("upload "+id, code, err, 201)
			w.note("uploaded", id, digest(u.archive))
			if code, body, err := w.s.try(u.file()); err != nil || code != 200 || digest(body) != digest(u.archive) {
				w.t.Errorf("%s after its upload: status %d, %v, or other bytes", id, code, err)
			}
		}
	}
}

func (w *writers) edit(i, n int) {
	dir := filepath.Join(w.tree, fmt.Sprintf("tree%d", i))
	writeChart(w.t, dir, filepath.Base(dir), "1.0.0", 0)
	writeFile(w.t, filepath.Join(dir, "values.yaml"), fmt.Appendf(nil, "n: %d\n", n))
}

func (w *writers) editAll(random *rand.Rand) {
	for n := 1; w.busy(); n++ {
		w.edit(random.IntN(treeCharts), n)
		w.note("edited", "", "")
		time.Sleep(time.Duration(random.IntN(80)) * time.Millisecond)
	}
}

func (w *writers) treeIndex() index { return cleanBuild(w.t, w.tree).index }

// run runs a command on the folder, which must succeed.
func (w *writers) run(args ...string) {
	if out, err := exec.Command(program(w.t), args...).CombinedOutput(); err != nil {
		w.t.Errorf("%v: %v\n%s", args, err, out)
	}
}

// prune uploads versions of its own chart and has the command retire some of them.
func (w *writers) prune(random *rand.Rand) {
	c := newClient(w.t)
	for n := 0; w.busy(); n++ {
		u := newUpload(w.t, "pruned", fmt.Sprintf("1.%d.0", n), n, 100, true)
		code, err := u.post(c, w.s.url, "")
		w.answered("upload to be pruned", code, err, 201)
		w.note("uploaded", "pruned-"+u.version, digest(u.archive))
		if random.IntN(3) > 0 {
			w.run("prune", "--repo-path", w.s.repo, "pruned@"+u.version)
			w.note("pruned", "pruned-"+u.version, "")
		}
	}
}

// mirror delivers one version after the other of a few charts.
func (w *writers) mirror(random *rand.Rand) {
	for n := 0; w.busy(); n++ {
		tree, built := w.t.TempDir(), filepath.Join(w.t.TempDir(), "built")
		for i := range 1 + random.IntN(4) {
			name := fmt.Sprintf("mirrored%d", i)
			writeChart(w.t, filepath.Join(tree, name), name, fmt.Sprintf("1.%d.0", n), 1000)
		}
		w.run("build", "--repo-path", built, tree)
		st, err := readFolder(built, nil)
		if err != nil {
			w.t.Error(err)
			return
		}
		w.run("mirror", "--repo-path", w.s.repo, built)
		for name, e := range st.index {
			w.note("mirrored", name, e.Digest)
		}
	}
}

// check compares what there is with what was answered.
func (w *writers) check() error {
	if p := w.s.status(); p.Problem != "" || len(p.Failures) > 0 {
		return fmt.Errorf("status %+v", p)
	}
	st, err := readFolder(w.s.repo, nil)
	if err != nil {
		return err
	}
	if _, body := w.s.get("index.yaml"); string(body) != string(st.raw) {
		return fmt.Errorf("index.yaml is not what is served")
	}
	for name, d := range w.want {
		if st.index[name].Digest != d || st.archives[name+".tgz"] != d {
			return fmt.Errorf("%s is %.12s in the index and %.12s in the folder, want %.12s", name, st.index[name].Digest, st.archives[name+".tgz"], d)
		}
	}
	if len(st.index) != len(w.want) || len(st.archives) != len(w.want) {
		return fmt.Errorf("%d in the index, %d in the folder, want %d", len(st.index), len(st.archives), len(w.want))
	}
	return noTemps(w.s.repo)
}
