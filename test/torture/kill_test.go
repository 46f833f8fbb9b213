//go:build linux

package torture

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/test/corpus/gen"
)

// killer kills servers of one repository folder at random moments. The tree has
// 80 charts, of which 79 contain helm-toolkit; an edit of that gives it one of a
// few contents, of each of which the clean build is known.
type killer struct {
	t      *testing.T
	random *rand.Rand
	tree   string
	repo   string
	args   []string
	want   []*folderState // by content of helm-toolkit
	now    int            // its content in the tree

	// since are the contents that passes since the last complete one may have been
	// publishing.
	since map[int]bool
	// committed says that some index.yaml must be there.
	committed bool
	// running is the server of the last restart, for the next strike.
	running *server
	// mixed counts kills that left archives of two states side by side, temps those
	// that left temporary files.
	mixed, temps int

	cold time.Duration // how long a cold build takes
	warm time.Duration // how long an edit takes until it is served
	// renames is how long the moments of most interest are.
	renames time.Duration
}

func TestKills(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"by name":           nil,
		"by digest":         {"--digest-urls"},
		"index of one line": {"--index-format", "json", "--jobs", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKiller(t, args)
			hits := map[string]int{}
			for n := range pick(9, 334) {
				how := k.strike(n)
				hits[how]++
				if err := k.afterKill(); err != nil {
					t.Fatalf("after kill %d (%s): %v", n+1, how, err)
				}
				if err := k.restart(); err != nil {
					t.Fatalf("restart after kill %d (%s): %v", n+1, how, err)
				}
			}
			k.running.stop()
			t.Logf("kills: %v; %d left archives of two states, %d temporary files; a cold build takes %s, an edit of helm-toolkit %s",
				hits, k.mixed, k.temps, k.cold.Round(time.Millisecond), k.warm.Round(time.Millisecond))
		})
	}
}

func newKiller(t *testing.T, args []string) *killer {
	dir := t.TempDir()
	k := &killer{
		t: t, random: newRandom(t), tree: filepath.Join(dir, "tree"), repo: filepath.Join(dir, "repo"),
		args: args, since: map[int]bool{}, renames: time.Millisecond,
	}
	must(t, gen.TacoV2(1).Write(k.tree))
	if !long {
		k.thin()
	}
	k.cold = time.Hour
	for n := range 3 {
		k.edit(n)
		begun := time.Now()
		k.want = append(k.want, cleanBuild(t, k.sources()...))
		k.cold = min(k.cold, time.Since(begun))
	}
	return k
}

// thin takes most of helm-toolkit away. There are as many charts and as much to
// publish, but all of it is packaged in less time.
func (k *killer) thin() {
	templates := filepath.Join(k.tree, "helm-toolkit", "templates")
	n := 0
	must(k.t, filepath.WalkDir(templates, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if n++; n%10 == 0 {
			return nil
		}
		return os.Remove(p)
	}))
}

func (k *killer) sources() []string { return append(slices.Clone(k.args), k.tree) }

// edit gives helm-toolkit its n-th content.
func (k *killer) edit(n int) {
	k.t.Helper()
	k.now = n
	k.since[n] = true
	text := fmt.Sprintf("{{- define \"torture\" -}}%d{{- end -}}\n", n)
	must(k.t, os.WriteFile(filepath.Join(k.tree, "helm-toolkit", "templates", "_torture.tpl"), []byte(text), 0o644))
}

func (k *killer) editOther() { k.edit((k.now + 1 + k.random.IntN(len(k.want)-1)) % len(k.want)) }

// strike starts a server, kills it in one of several situations, and tells which.
func (k *killer) strike(n int) string {
	k.t.Helper()
	switch what := k.random.IntN(10); {
	case what < 2 || n == 0:
		k.stopped()
		must(k.t, os.RemoveAll(k.repo))
		k.committed = false
		s := launch(k.t, k.repo, k.sources()...)
		k.rest(k.cold * 3 / 2)
		s.kill()
		return "cold build"
	case what < 3:
		k.stopped()
		// Without its state, a server reads every archive again.
		_ = os.Remove(filepath.Join(k.repo, ".state"))
		k.editOther()
		s := launch(k.t, k.repo, k.sources()...)
		k.rest(k.cold * 3 / 2)
		s.kill()
		return "start without state"
	case what < 8:
		s := k.started()
		k.editOther()
		how := "rebuild"
		switch k.random.IntN(4) {
		case 0:
			k.rest(k.warm * 3 / 2)
		case 1:
			how = "packaging"
			k.awaitTemp()
			k.rest(k.warm / 2)
		default:
			how = "renaming"
			k.awaitRenames()
			k.rest(k.renames)
		}
		s.kill()
		return how
	default:
		s := k.started()
		k.editOther()
		until(k.t, settleTime, func() error { return k.shows(s) })
		if k.random.IntN(2) == 0 {
			// The state is written two seconds after the last change.
			time.Sleep(1900 * time.Millisecond)
			k.rest(250 * time.Millisecond)
			s.kill()
			return "state writing"
		}
		k.rest(50 * time.Millisecond)
		s.kill()
		return "after publishing"
	}
}

func (k *killer) rest(most time.Duration) {
	time.Sleep(time.Duration(k.random.Int64N(int64(most) + 1)))
}

// stopped stops the server of the last restart.
func (k *killer) stopped() {
	if k.running != nil {
		k.running.stop()
		k.running = nil
	}
}

// started is a server that has served its first index.
func (k *killer) started() *server {
	s := k.running
	k.running = nil
	return s
}

// complete notes that all that was to be published is.
func (k *killer) complete() {
	k.committed = true
	clear(k.since)
	k.since[k.now] = true
}

// awaitTemp waits until the server begins to write.
func (k *killer) awaitTemp() {
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if noTemps(k.repo) != nil {
			return
		}
	}
	k.t.Fatal("an edit of helm-toolkit is not packaged")
}

// awaitRenames waits until temporary files begin to get their names.
func (k *killer) awaitRenames() {
	most := 0
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); {
		left, err := filepath.Glob(filepath.Join(k.repo, ".tmp-*"))
		must(k.t, err)
		if len(left) < most {
			return
		}
		most = len(left)
	}
	k.t.Fatal("an edit of helm-toolkit is not published")
}

// shows checks that the server serves the present content.
func (k *killer) shows(s *server) error {
	_, body, err := s.try("index.yaml")
	if err == nil && string(body) != string(k.want[k.now].raw) {
		err = fmt.Errorf("the index is not the present one")
	}
	return err
}

// read reads the folder. Archives that are those of a clean build are whole: they
// were read to the end there.
func (k *killer) read() (*folderState, error) {
	whole := map[string]bool{}
	for _, w := range k.want {
		for _, d := range w.archives {
			whole[d] = true
		}
	}
	return readFolder(k.repo, whole)
}

// afterKill checks what a web server beside would find in the folder.
func (k *killer) afterKill() error {
	st, err := k.read()
	if err != nil {
		return err
	}
	if st.raw == nil {
		if k.committed {
			return fmt.Errorf("index.yaml is gone")
		}
		return nil
	}
	if slices.Contains(k.args, "--digest-urls") {
		if err := st.byDigest(k.repo); err != nil {
			return err
		}
	}
	if noTemps(k.repo) != nil {
		k.temps++
	}
	mixed := false
	defer func() {
		if mixed {
			k.mixed++
		}
	}()
	for name, e := range st.index {
		have := st.archives[name+".tgz"]
		if have == e.Digest {
			continue
		}
		known := false
		mixed = true
		for n := range k.since {
			known = known || k.want[n].archives[name+".tgz"] == have
		}
		if !known {
			return fmt.Errorf("%s: the index says %.12s, the file is %.12s, which no pass was publishing", name, e.Digest, have)
		}
	}
	return nil
}

// restart starts a server and checks that everything is mended when it says that
// it is ready.
func (k *killer) restart() error {
	s := launch(k.t, k.repo, k.sources()...)
	s.await()
	k.complete()
	k.running = s
	if code, _ := s.get("/readyz"); code != 200 {
		return fmt.Errorf("/readyz answers %d", code)
	}
	st, err := k.read()
	if err != nil {
		return err
	}
	if err := st.equals(k.want[k.now]); err != nil {
		return err
	}
	if slices.Contains(k.args, "--digest-urls") {
		if err := st.byDigest(k.repo); err != nil {
			return err
		}
	}
	if err := k.shows(s); err != nil {
		return err
	}
	if err := noTemps(k.repo); err != nil {
		return err
	}
	if st := s.status(); st.Problem != "" || strings.Contains(fmt.Sprint(st.Failures), "tgz") {
		return fmt.Errorf("status %+v", st)
	}
	if k.warm == 0 {
		begun := time.Now()
		k.editOther()
		until(k.t, settleTime, func() error { return k.shows(s) })
		k.warm = time.Since(begun)
		k.complete()
	}
	return nil
}
