package main

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chartserve/internal/repo"
)

// server is a chartserve that runs in this process.
type server struct {
	base           string
	stop           context.CancelFunc
	done           chan struct{}
	code           int
	stdout, stderr strings.Builder
}

// startServer serves dir on any port and waits for the first complete index.
func startServer(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{stop: cancel, done: make(chan struct{})}
	ready := filepath.Join(t.TempDir(), "url.txt")
	args = append([]string{"serve", "--address", "localhost:0", "--repo-path", filepath.Join(dir, ".chartserve"), "--ready-file", ready}, args...)
	go func() {
		defer close(s.done)
		s.code = run(ctx, args, &s.stdout, &s.stderr)
	}()
	t.Cleanup(func() { cancel(); <-s.done })
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(ready); err == nil {
			s.base = strings.TrimSuffix(string(data), "\n")
			return s
		}
		select {
		case <-s.done:
			t.Fatalf("exit status %d before it was ready: %s", s.code, s.stderr.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("not ready in time")
		}
	}
}

// wait returns the exit status.
func (s *server) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-s.done:
		return s.code
	case <-time.After(patience):
		t.Fatal("it does not stop")
		return 0
	}
}

func TestServeLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	writeChart(t, dir, "nova", "1.0.0")
	s := startServer(t, dir, dir)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.base + "/nova-1.0.0.tgz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("archive: got %s, want 200", resp.Status)
	}
	s.stop()
	if got := s.wait(t); got != exitOK {
		t.Errorf("exit status: got %d, want %d; stderr: %s", got, exitOK, s.stderr.String())
	}
}

func TestServeAnswersOnBothLoopbacks(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, dir)
	port := s.base[strings.LastIndex(s.base, ":"):]
	hosts := []string{"http://127.0.0.1"}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		l.Close()
		hosts = append(hosts, "http://[::1]")
	}
	for _, host := range hosts {
		resp, err := http.Get(host + port + "/index.yaml")
		if err != nil {
			t.Error(err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s, want 200", host, resp.Status)
		}
	}
}

// A page of somebody else that leads a browser here under its own name gets nothing; who
// comes through a trusted proxy is named in the access log.
func TestServeKnowsWhoAsks(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, "--allowed-host", "charts.site", "--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "::1", "--access-log", dir)
	for host, want := range map[string]int{"evil.test": http.StatusMisdirectedRequest, "charts.site": http.StatusOK, "": http.StatusOK} {
		r, err := http.NewRequest(http.MethodGet, s.base+"/index.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("X-Forwarded-For", "198.51.100.7")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: got %s, want %d", host, resp.Status, want)
		}
	}
	s.stop()
	s.wait(t)
	if log := s.stderr.String(); strings.Count(log, " client=198.51.100.7 ") != 3 {
		t.Errorf("log %s", log)
	}
}

// A request that is being answered when the signal comes is answered to its end.
func TestServeFinishesRequests(t *testing.T) {
	dir := t.TempDir()
	big := make([]byte, 64<<20)
	_, _ = rand.Read(big)
	writeFile(t, filepath.Join(dir, ".chartserve", "big.bin"), string(big))
	s := startServer(t, dir, dir)
	resp, err := http.Get(s.base + "/big.bin")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	s.stop()
	select {
	case <-s.done:
		t.Fatal("it stopped while a request was being answered")
	case <-time.After(300 * time.Millisecond):
	}
	rest, err := io.Copy(io.Discard, resp.Body)
	if err != nil || rest+1 != int64(len(big)) {
		t.Errorf("rest of the body: got %d bytes and %v, want %d", rest, err, len(big)-1)
	}
	if got := s.wait(t); got != exitOK {
		t.Errorf("exit status: got %d, want %d; stderr: %s", got, exitOK, s.stderr.String())
	}
}

// A request that comes right after the signal, on a connection that is open, is
// answered: its client can't know that the server ends.
func TestServeAnswersAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	writeChart(t, dir, "nova", "1.0.0")
	s := startServer(t, dir, dir)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for last := false; !last; s.stop() {
		resp, err := client.Get(s.base + "/nova-1.0.0.tgz")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %s, want 200", resp.Status)
		}
		last = resp.Close
	}
	if got := s.wait(t); got != exitOK {
		t.Errorf("exit status: got %d, want %d", got, exitOK)
	}
}

// hangUp sends SIGHUP to the servers of this process. One that comes late, when they have
// ended, does not end the tests.
func hangUp() error {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(syscall.SIGHUP)
}

// SIGHUP has everything looked at again, what no event has told of too, and ends nothing.
func TestServeLooksAgainAtSIGHUP(t *testing.T) {
	dir := t.TempDir()
	writeChart(t, dir, "nova", "1.0.0")
	s := startServer(t, dir, dir, "--poll", "1h")
	writeChart(t, dir, "heat", "1.0.0")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err := hangUp(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(s.base + "/heat-1.0.0.tgz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the new chart is not served")
		}
	}
	s.stop()
	if got := s.wait(t); got != exitOK {
		t.Errorf("exit status: got %d, want %d", got, exitOK)
	}
}

func TestAnnouncement(t *testing.T) {
	full := announcement(
		repo.Status{Charts: 80, Archives: 81, Failures: []repo.Failure{{Path: "charts/bad", Reason: "Chart.yaml: no name\nat all"}}},
		"charts", 210*time.Millisecond, []string{"http://localhost:8879/charts"}, "http://10.0.0.5:8879/charts", "")
	const wantFull = `Serving 80 charts (81 archives) from charts in 0.21s
1 chart could not be published: the log, the page and /status have the reasons
http://localhost:8879/charts

  helm repo add local http://localhost:8879/charts

From other hosts:

  helm repo add local http://10.0.0.5:8879/charts
`
	empty := announcement(repo.Status{}, ".", time.Millisecond, []string{"http://localhost:8879/charts"}, "", "")
	const wantEmpty = `Serving 0 charts (0 archives) from . in 0.00s
No chart found in .: a chart is a directory with a Chart.yaml (helm create NAME makes one), or a .tgz.
http://localhost:8879/charts

  helm repo add local http://localhost:8879/charts
`
	for name, c := range map[string]struct{ got, want string }{"full": {full, wantFull}, "empty": {empty, wantEmpty}} {
		t.Run(name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", c.got, c.want)
			}
		})
	}
}
