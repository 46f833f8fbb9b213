//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestLongRun edits at random, checks, and has clients hang up midway, for a long
// time. What the process holds stays flat, and in the end all is as a clean build
// makes it.
func TestLongRun(t *testing.T) {
	t.Parallel() // to the kills, which take about as long
	const charts = 40
	tree := orchard(t, charts)
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--prune", "--keep-replaced", "5s", "--digest-urls", tree)
	random := newRandom(t)
	e := &editor{t: t, tree: tree, random: rand.New(rand.NewPCG(random.Uint64(), 1)), charts: charts}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() { e.run(stop) })
	own := rand.New(rand.NewPCG(random.Uint64(), 1))
	busy.Go(func() { hangUp(s, own, stop) })

	total := pick(150*time.Second, 2*time.Hour)
	begun, checks, trips := time.Now(), 0, 0
	var samples []sample // one at the end of each sixth of the time
	for len(samples) < 6 && trips < 10 {
		time.Sleep(time.Second)
		if err := s.checkOne(random); err != nil {
			t.Errorf("after %s: %v", time.Since(begun), err)
			trips++
		}
		checks++
		if time.Since(begun) >= total/6*time.Duration(len(samples)+1) {
			samples = append(samples, s.sample())
			t.Logf("after %s: %v", time.Since(begun).Round(time.Second), samples[len(samples)-1])
		}
	}
	close(stop)
	busy.Wait()
	e.mend()
	t.Logf("%s, %d edits, %d checks", total, e.edits, checks)
	for i, x := range samples {
		if first := samples[0]; x.goroutines > first.goroutines+30 || x.files > first.files+30 || x.mib > first.mib*3/2+30 {
			t.Errorf("it grows: %v, then %v after %d sixths", first, x, i+1)
		}
	}
	settles(t, s, "--digest-urls", tree)
}

type sample struct{ goroutines, files, mib int }

func (x sample) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MiB", x.goroutines, x.files, x.mib)
}

func (s *server) sample() sample {
	s.collect()
	return sample{s.goroutines(), s.files(), s.resident()}
}

// checkOne fetches one archive of the index; it must be what the index promised.
func (s *server) checkOne(random *rand.Rand) error {
	code, body, err := s.try("index.yaml")
	if err != nil || code != 200 {
		return fmt.Errorf("index.yaml answers %d, %v", code, err)
	}
	x, err := parseIndex(body)
	if err != nil {
		return err
	}
	n := random.IntN(len(x))
	for _, e := range x {
		if n--; n < 0 {
			code, body, err := s.try(e.URL)
			if err != nil || code != 200 || digest(body) != e.Digest {
				return fmt.Errorf("%s answers %d, %v, digest %s", e.URL, code, err, digest(body))
			}
			break
		}
	}
	return nil
}

// editor edits an orchard at random.
type editor struct {
	t      *testing.T
	tree   string
	random *rand.Rand
	charts int
	edits  int
}

func (e *editor) run(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(e.random.IntN(100)) * time.Millisecond):
			e.edit()
			e.edits++
		}
	}
}

func (e *editor) edit() {
	i := e.random.IntN(e.charts)
	dir := filepath.Join(e.tree, fmt.Sprintf("c%d", i))
	text := fmt.Appendf(nil, "n: %d\n", e.random.IntN(1000))
	// Much of this fails, where another edit has taken the chart away; that is fine.
	switch e.random.IntN(12) {
	case 0:
		_ = os.RemoveAll(dir)
	case 1:
		_ = os.Rename(dir, dir+"-moved")
	case 2:
		_ = os.Rename(dir+"-moved", dir)
	case 3:
		_ = os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte("broken: ["), 0o644)
	case 4:
		_ = os.WriteFile(filepath.Join(e.tree, "lib", "templates", "x.tpl"), text, 0o644)
	case 5:
		_ = os.Remove(filepath.Join(dir, "values.yaml"))
	case 6:
		_ = os.Mkdir(filepath.Join(dir, "files"), 0o755)
		_ = os.WriteFile(filepath.Join(dir, "files", "f"), noise(e.random.IntN(100_000)), 0o644)
	case 7:
		_ = os.RemoveAll(filepath.Join(dir, "templates"))
	case 8:
		_ = os.Symlink("values.yaml", filepath.Join(dir, "link"))
	default:
		plant(e.t, e.tree, i)
		_ = os.WriteFile(filepath.Join(dir, "values.yaml"), text, 0o644)
	}
}

// mend leaves no broken chart behind.
func (e *editor) mend() {
	for i := range e.charts {
		_ = os.RemoveAll(filepath.Join(e.tree, fmt.Sprintf("c%d-moved", i)))
		if i%3 > 0 {
			plant(e.t, e.tree, i)
			_ = os.Remove(filepath.Join(e.tree, fmt.Sprintf("c%d", i), "link"))
		} else {
			_ = os.RemoveAll(filepath.Join(e.tree, fmt.Sprintf("c%d", i)))
		}
	}
}

// hangUp is clients that leave in the middle of an answer, or of a request.
func hangUp(s *server, random *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(10 * time.Millisecond):
		}
		c, err := net.DialTimeout("tcp", s.host(), 5*time.Second)
		if err != nil {
			continue
		}
		request := "GET /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n"
		fmt.Fprint(c, request[:1+random.IntN(len(request))])
		if random.IntN(2) == 0 {
			_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, _ = c.Read(make([]byte, 1+random.IntN(1000)))
		}
		c.Close()
	}
}
