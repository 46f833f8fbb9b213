package layout

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// killedFolder names the folder to the process that is to be killed.
const killedFolder = "CHARTSERVE_TEST_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedFolder); dir != "" {
		pushUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// pushUntilKilled pushes, drops and collects, and says what it was answered.
func pushUntilKilled(dir string) {
	l, err := Open(dir, Options{})
	if err != nil {
		panic(err)
	}
	run := fmt.Sprint(os.Getpid())
	var collecting sync.RWMutex
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				name, tag := fmt.Sprint("n", n%3), fmt.Sprint("t", run, "-", i, "-", n)
				content := strings.Repeat(tag, 1+rand.IntN(2000))
				collecting.RLock()
				d, err := push(l, name, tag, content)
				if err != nil {
					panic(err)
				}
				fmt.Println("tag", name, tag, d, digest.FromString(content))
				if n%4 == 3 {
					old := fmt.Sprint("t", run, "-", i, "-", n-3)
					if err := l.Drop(fmt.Sprint("n", (n-3)%3), func(m *Manifest) bool { return m.Tag == old }); err != nil {
						panic(err)
					}
					fmt.Println("dropped", fmt.Sprint("n", (n-3)%3), old)
				}
				collecting.RUnlock()
			}
		})
	}
	for {
		time.Sleep(20 * time.Millisecond)
		collecting.Lock()
		if _, err := l.Collect(context.Background(), CollectOptions{Alone: true, Grace: 1}); err != nil {
			panic(err)
		}
		collecting.Unlock()
	}
}

// A process is killed in the midst of pushes, again and again. What it had answered is there,
// index.json is one at every moment, and each blob has its digest.
func TestPushesKilled(t *testing.T) {
	rounds := 6
	if os.Getenv("TORTURE") == "long" {
		rounds = 200
	}
	dir := quick(t)
	exe, err := os.Executable()
	must(t, err)
	tags, dropped := map[string][]string{}, map[string]bool{} // by NAME TAG
	for round := range rounds {
		for _, line := range killOne(t, exe, dir) {
			switch f := strings.Fields(line); f[0] {
			case "tag":
				tags[f[1]+" "+f[2]] = f[3:]
			case "dropped":
				dropped[f[1]+" "+f[2]] = true
			}
		}
		whole(t, dir)
		l := start(t, dir, Options{})
		for key, digests := range tags {
			name, tag, _ := strings.Cut(key, " ")
			c, err := l.Content(name)
			must(t, err)
			m := c.Tag(tag)
			if dropped[key] {
				if len(m) > 0 {
					t.Errorf("%s was dropped, and is there", key)
				}
				delete(tags, key)
				continue
			}
			if len(m) == 0 && mayBeDropped(tag, tags) {
				delete(tags, key)
				continue // it was dropped, and there was no time to say so
			}
			if len(m) != 1 || string(m[0].Digest) != digests[0] {
				t.Errorf("%s is %v, not %s", key, m, digests[0])
			}
			for _, d := range digests {
				if blob(t, l, name, digest.Digest(d)) == "" {
					t.Errorf("%s: %s is gone", key, d)
				}
			}
		}
		_, err := push(l, "after", "1", fmt.Sprint("layer", round))
		must(t, err)
		if left, err := os.ReadDir(filepath.Join(dir, staged)); err != nil || len(left) > 0 {
			t.Errorf("staged files are left: %v, %v", left, err)
		}
		must(t, l.Close())
	}
	if len(tags) < rounds {
		t.Errorf("%d pushes were answered in %d rounds", len(tags), rounds)
	}
}

// mayBeDropped reports whether the push after which a tag is dropped was answered.
func mayBeDropped(tag string, tags map[string][]string) bool {
	var run, i, n int
	_, err := fmt.Sscanf(tag, "t%d-%d-%d", &run, &i, &n)
	if err != nil || n%4 != 0 {
		return false
	}
	_, ok := tags[fmt.Sprintf("n%d t%d-%d-%d", (n+3)%3, run, i, n+3)]
	return ok
}

// killOne starts a process, kills it at some moment, and returns what it had said.
func killOne(t *testing.T, exe, dir string) (said []string) {
	t.Helper()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), killedFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	l := start(t, dir, Options{})
	first := time.Now()
	after := time.Duration(50+rand.IntN(250)) * time.Millisecond
	time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said = append(said, lines.Text())
		namesOf(t, l)
	}
	_ = cmd.Wait() // it was killed
	if time.Since(first) < after {
		t.Error("it ended by itself")
	}
	return said
}
