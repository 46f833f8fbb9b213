package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// strikes is how often a command is killed, depot how many archives it is about.
	strikes = 20
	depot   = 300
	// roundsAtMost bounds how often it all begins anew, when commands get through.
	roundsAtMost = 12
)

// strike runs chartserve and kills it at some moment within span; false: it was done
// before, and span becomes what that took.
func strike(t *testing.T, span *time.Duration, args ...string) bool {
	t.Helper()
	began := time.Now()
	out := &output{}
	cmd := exec.Command(program(t), args...)
	cmd.Env = environment(t.TempDir())
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	timer := time.AfterFunc(rand.N(*span), func() { _ = cmd.Process.Kill() }) // it may have ended
	err := cmd.Wait()
	timer.Stop()
	if err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("chartserve %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if err == nil {
		*span = min(*span, time.Since(began))
	}
	return err != nil
}

// TestAirGapMirrorKilled: a mirror that is killed and resumed, again and again,
// fetches nothing twice that was whole, and ends as one that nobody disturbed.
func TestAirGapMirrorKilled(t *testing.T) {
	x, address := newCounting(t)
	calm := filepath.Join(t.TempDir(), "calm")
	began := time.Now()
	gap(t, 0, "mirror", address, "--repo-path", calm)
	span := time.Since(began) / 4
	holds(t, calm, x.stored())

	killed, rounds, kept := 0, 0, 0
	for ; killed < strikes && rounds < roundsAtMost; rounds++ {
		site := filepath.Join(t.TempDir(), "site")
		there := map[string]bool{}
		n := 0
		for strike(t, &span, "mirror", address, "--repo-path", site) {
			n++
			x.unasked(t, there)
			x.note(t, site, there)
			if killed+n >= strikes {
				gap(t, 0, "mirror", address, "--repo-path", site)
				break
			}
		}
		x.unasked(t, there)
		holds(t, site, x.stored())
		if read(t, filepath.Join(site, "index.yaml")) != read(t, filepath.Join(calm, "index.yaml")) {
			t.Error("another index than that of an undisturbed mirror")
		}
		killed, kept = killed+n, kept+len(there)
	}
	t.Logf("%d mirrors killed, %d completed; within %s", killed, rounds, span.Round(time.Millisecond))
	if killed < strikes/2 || kept == 0 {
		t.Errorf("killed %d times, with %d files whole: too few to show anything", killed, kept)
	}
}

// TestAirGapLoadKilled: a load that is killed and repeated, into the folder of a
// running server, whose clients see none or all of it.
func TestAirGapLoadKilled(t *testing.T) {
	x, address := newCounting(t)
	dir := t.TempDir()
	host, bundle := filepath.Join(dir, "host"), filepath.Join(dir, "site.tar")
	gap(t, 0, "mirror", address, "--repo-path", host)
	gap(t, 0, "bundle", "create", "-o", bundle, "--repo-path", host)
	began := time.Now()
	gap(t, 0, "bundle", "load", bundle, "--repo-path", filepath.Join(dir, "calm"))
	span := time.Since(began) / 2

	killed, rounds := 0, 0
	for ; killed < strikes && rounds < roundsAtMost; rounds++ {
		t.Run(fmt.Sprint(rounds), func(t *testing.T) {
			site := filepath.Join(t.TempDir(), "site")
			gap(t, 0, "build", "--repo-path", site, toolkitChart.write(t, filepath.Join(t.TempDir(), "toolkit")))
			old := archives(t, site)
			s := serve(t, ".", "--repo-path", site)
			end := watch(t, s, 1, 1+depot)
			for killed < strikes && strike(t, &span, "bundle", "load", bundle, "--repo-path", site) {
				killed++
			}
			gap(t, 0, "bundle", "load", bundle, "--repo-path", site)
			s.settles(t, "the load", func(index map[string]entry) bool { return len(index) == 1+depot })
			end()
			holds(t, site, x.stored().with(old))
			wantWords(t, "once more", gap(t, 0, "bundle", "load", bundle, "--repo-path", site), "has all of it already")
		})
	}
	t.Logf("%d loads killed, %d completed; within %s", killed, rounds, span.Round(time.Millisecond))
	if killed < strikes/2 {
		t.Errorf("killed %d times: too few to show anything", killed)
	}
}

// watch polls an index, which may have so many versions and no other number, until
// the function that it gives is called. What an index has, the server has.
func watch(t *testing.T, s *server, none, all int) (end func()) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	seen := map[int]int{}
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			n, err := s.glance(all)
			if seen[n]++; err != nil || n != none && n != all {
				t.Errorf("a client sees %d versions (%v), want %d or %d", n, err, none, all)
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
		if seen[none] == 0 || seen[all] == 0 {
			t.Errorf("indexes by number of versions: %v, want some of each", seen)
		}
	}
}

// glance counts the versions in the index and, when it has all, fetches one.
func (s *server) glance(all int) (int, error) {
	body, err := fetch(s.URL + "/index.json")
	n := strings.Count(body, `"digest":`)
	if err == nil && n == all {
		_, err = fetch(fmt.Sprintf("%s/chart-%03d-1.0.0.tgz", s.URL, rand.N(depot)))
	}
	return n, err
}

// fetch gets a document, outside of the test's own goroutine.
func fetch(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(body), err
}
