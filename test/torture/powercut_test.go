//go:build linux

package torture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestPowerCut cuts the power while all charts change: the process is killed, and of
// what it wrote there is only what a disk must have. An index that a client has seen
// is there, with every archive in it, and the next start ends as a clean build does.
func TestPowerCut(t *testing.T) {
	for name, args := range map[string][]string{"by name": nil, "by digest": {"--digest-urls"}} {
		t.Run(name, func(t *testing.T) { newPowerCut(t, args).run(pick(5, 100)) })
	}
}

type powerCut struct {
	t      *testing.T
	fs     *faultFS
	random *rand.Rand
	tree   string
	args   []string
	want   []*folderState // by content of lib
	whole  map[string]bool
	now    int // the content in the tree

	cuts, lost, mixed int
}

func newPowerCut(t *testing.T, args []string) *powerCut {
	p := &powerCut{t: t, fs: mountFaults(t), random: newRandom(t), tree: orchard(t, 20), whole: map[string]bool{}}
	p.args = append(args, p.tree)
	for n := range 3 {
		p.edit(n)
		p.want = append(p.want, cleanBuild(t, p.args...))
		for _, digest := range p.want[n].archives {
			p.whole[digest] = true
		}
	}
	return p
}

func (p *powerCut) edit(n int) {
	p.now = n
	writeFile(p.t, filepath.Join(p.tree, "lib", "templates", "x.tpl"), fmt.Appendf(nil, "{{- define \"x\" -}}%d{{- end -}}\n", n))
}

// run cuts the power so many times, each in the midst of one change of all charts,
// and looks at all that may be left.
func (p *powerCut) run(times int) {
	repo := filepath.Join(p.fs.dir, "repo")
	warm := 500 * time.Millisecond
	for range times {
		s := launch(p.t, repo, p.args...)
		s.await()
		j := p.fs.record(p.t)
		before := p.now
		seen := p.watch(s)
		p.edit((before + 1 + p.random.IntN(2)) % 3)
		time.Sleep(time.Duration(p.random.Int64N(int64(warm))))
		s.kill()
		last := seen()
		for kind := range cuts {
			dir := p.t.TempDir()
			j.cut(p.t, dir, kind, p.random)
			left := filepath.Join(dir, "repo")
			if err := p.check(left, before, last); err != nil {
				p.t.Fatalf("cut %d of kind %d: %v", p.cuts+1, kind, err)
			}
			if err := p.restart(left); err != nil {
				p.t.Fatalf("restart after cut %d of kind %d: %v", p.cuts+1, kind, err)
			}
			p.cuts++
		}
	}
	p.t.Logf("%d power cuts: %d took the newest index, which nobody had seen, %d left archives of two states", p.cuts, p.lost, p.mixed)
}

// watch polls the index; the function that it gives stops that, and gives the last
// index that came.
func (p *powerCut) watch(s *server) func() []byte {
	var last atomic.Pointer[[]byte]
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			code, body, err := s.try("index.yaml")
			if err != nil {
				return // the server is dead
			}
			if code == 200 {
				last.Store(&body)
			}
		}
	}()
	return func() []byte {
		<-ended
		if b := last.Load(); b != nil {
			return *b
		}
		return nil
	}
}

// check looks at what the power cut has left: the index is the one that was there
// before or the next, and no older than seen; the archives are whole, and those of
// an index that was seen.
func (p *powerCut) check(dir string, before int, seen []byte) error {
	st, err := readFolder(dir, p.whole)
	if err != nil {
		return err
	}
	next := bytes.Equal(st.raw, p.want[p.now].raw)
	if !next && !bytes.Equal(st.raw, p.want[before].raw) {
		return fmt.Errorf("an index of %d bytes, which is neither the old nor the new one", len(st.raw))
	}
	wasSeen := bytes.Equal(seen, p.want[p.now].raw)
	if wasSeen && !next {
		return fmt.Errorf("a client has seen the new index, and it is gone")
	}
	if !next {
		p.lost++
	}
	mixed := false
	for name, e := range st.index {
		have := st.archives[name+".tgz"]
		if have == e.Digest {
			continue
		}
		mixed = true
		if wasSeen || have != p.want[p.now].archives[name+".tgz"] {
			return fmt.Errorf("%s: the index says %.12s, the file is %.12s", name, e.Digest, have)
		}
	}
	if mixed {
		p.mixed++
	}
	return nil
}

// restart starts a server on what is left.
func (p *powerCut) restart(dir string) error {
	s := launch(p.t, dir, p.args...)
	defer s.kill()
	s.await()
	_, raw := s.get("index.yaml")
	if want := p.want[p.now].raw; !bytes.Equal(raw, want) {
		return fmt.Errorf("the index is not a clean build's: %s", firstDifference(string(raw), string(want)))
	}
	st, err := readFolder(dir, p.whole)
	if err != nil {
		return err
	}
	if err := st.equals(p.want[p.now]); err != nil {
		return err
	}
	for name := range st.index {
		if err := s.serves(name); err != nil {
			return err
		}
	}
	return noTemps(dir)
}
