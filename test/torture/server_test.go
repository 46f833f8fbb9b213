//go:build linux

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startTime, stopTime and settleTime are generous: other work may share the
	// machine.
	startTime  = 2 * time.Minute
	stopTime   = 30 * time.Second
	settleTime = time.Minute
)

// server is a running `chartserve serve`.
type server struct {
	t     testing.TB
	url   string // the repository's, without a slash at the end
	repo  string
	debug string // HOST:PORT of the profiles
	logs  *output

	cmd   *exec.Cmd
	ready string
	ended chan struct{}
	err   error // of the process, once ended is closed
}

// output collects what a process prints, while it prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > 4<<20 {
		o.buf.Reset()
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// launch starts a server on a free port and does not wait for it. args are flags
// and SOURCEs.
func launch(t testing.TB, repo string, args ...string) *server {
	t.Helper()
	return launchBy(t, nil, repo, args...)
}

// launchBy has wrapper, a command that takes a command, start the server in its
// own place.
func launchBy(t testing.TB, wrapper []string, repo string, args ...string) *server {
	t.Helper()
	return launchWith(t, func(cmd *exec.Cmd) {
		if len(wrapper) == 0 {
			return
		}
		path, err := exec.LookPath(wrapper[0])
		must(t, err)
		cmd.Path, cmd.Args = path, append(slices.Clone(wrapper), cmd.Args...)
	}, repo, args...)
}

// launchWith starts a server by a command that prepare may change.
func launchWith(t testing.TB, prepare func(*exec.Cmd), repo string, args ...string) *server {
	t.Helper()
	scratch := t.TempDir()
	s := &server{t: t, repo: repo, logs: &output{}, ready: filepath.Join(scratch, "ready"), ended: make(chan struct{})}
	s.debug = freeAddress(t)
	s.cmd = exec.Command(program(t), append([]string{"serve", "--address", "127.0.0.1:0", "--ready-file", s.ready,
		"--debug-address", s.debug, "--repo-path", repo}, args...)...)
	s.cmd.Dir = scratch
	prepare(s.cmd)
	s.cmd.Stdout, s.cmd.Stderr = s.logs, s.logs
	must(t, s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.kill)
	return s
}

// serve starts a server, waits until the first complete index is served, and
// stops it in an orderly way when the test ends.
func serve(t testing.TB, repo string, args ...string) *server {
	t.Helper()
	s := launch(t, repo, args...)
	s.await()
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("chartserve printed:\n%s", tail(s.logs.String(), 4000))
		}
	})
	return s
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// await waits for the ready file.
func (s *server) await() {
	s.t.Helper()
	for deadline := time.Now().Add(startTime); ; time.Sleep(2 * time.Millisecond) {
		if data, err := os.ReadFile(s.ready); err == nil && len(data) > 0 {
			s.url = strings.TrimSuffix(strings.TrimSpace(string(data)), "/")
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("chartserve ended: %v\n%s", s.err, tail(s.logs.String(), 4000))
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("chartserve is not ready after %s\n%s", startTime, tail(s.logs.String(), 4000))
		}
	}
}

// kill is SIGKILL: the process gets no chance to do anything.
func (s *server) kill() {
	select {
	case <-s.ended:
	default:
		_ = s.cmd.Process.Kill() // it may end at this moment
		<-s.ended
	}
}

// stop sends SIGTERM, after which chartserve must end by itself with status 0.
func (s *server) stop() {
	s.t.Helper()
	select {
	case <-s.ended:
		s.t.Errorf("chartserve ended by itself: %v\n%s", s.err, tail(s.logs.String(), 4000))
		return
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		if s.err != nil {
			s.t.Errorf("chartserve after SIGTERM: %v, want exit status 0", s.err)
		}
	case <-time.After(stopTime):
		s.t.Errorf("chartserve still runs %s after SIGTERM", stopTime)
		s.kill()
	}
}

// host is HOST:PORT of the server.
func (s *server) host() string {
	u, err := url.Parse(s.url)
	must(s.t, err)
	return u.Host
}

var plainClient = &http.Client{Timeout: time.Minute}

// get fetches a path below the repository, or from "/" on when it starts with it.
func (s *server) get(path string) (int, []byte) {
	s.t.Helper()
	code, body, err := s.try(path)
	must(s.t, err)
	return code, body
}

func (s *server) try(path string) (int, []byte, error) {
	target := s.url + "/" + path
	if strings.HasPrefix(path, "/") {
		target = "http://" + s.host() + path
	}
	resp, err := plainClient.Get(target)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// status is what /status says.
type status struct {
	Charts, Archives int
	Problem          string
	Failures         []struct{ Path, Name, Version, Reason string }
	Warnings         []struct{ Path, Message string }
	WatchMode        string
}

func (s *server) status() status {
	s.t.Helper()
	code, body := s.get("/status")
	if code != http.StatusOK {
		s.t.Fatalf("/status answers %d", code)
	}
	var st status
	must(s.t, json.Unmarshal(body, &st))
	return st
}

// failure is the reason why the file or chart whose path ends in suffix is not
// published; "" when it is.
func (st status) failure(suffix string) string {
	for _, f := range st.Failures {
		if f.Path == suffix || strings.HasSuffix(f.Path, "/"+suffix) {
			return f.Reason
		}
	}
	for _, w := range st.Warnings { // an archive of something else is no failure
		if strings.HasSuffix(w.Path, "/"+suffix) && strings.HasSuffix(w.Message, "it is not published") {
			return w.Message
		}
	}
	return ""
}

// index is what the server's index has now.
func (s *server) index() index {
	s.t.Helper()
	code, body := s.get("index.yaml")
	if code != http.StatusOK {
		s.t.Fatalf("index.yaml answers %d", code)
	}
	x, err := parseIndex(body)
	must(s.t, err)
	return x
}

// serves checks that the index is served and that each archive in it is, with
// the bytes that it promises.
func (s *server) serves(names ...string) error {
	code, body, err := s.try("index.yaml")
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("index.yaml answers %d, %v", code, err)
	}
	x, err := parseIndex(body)
	if err != nil {
		return err
	}
	for _, name := range names {
		e, ok := x[name]
		if !ok {
			return fmt.Errorf("%s is not in the index", name)
		}
		code, body, err := s.try(e.URL)
		if err != nil || code != http.StatusOK || digest(body) != e.Digest {
			return fmt.Errorf("%s answers %d, %v, digest %s; want %s", e.URL, code, err, digest(body), e.Digest)
		}
	}
	return nil
}

// peak is the most memory that the process has had in RAM since resetPeak, in MiB.
func (s *server) peak() int { return s.memory("VmHWM:") }

func (s *server) resident() int { return s.memory("VmRSS:") }

func (s *server) memory(field string) int {
	s.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	must(s.t, err)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			must(s.t, err)
			return kb >> 10
		}
	}
	s.t.Fatalf("no %s for this process", field)
	return 0
}

func (s *server) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0) // else the peak is since the start
}

// files is how many file descriptors the process has.
func (s *server) files() int {
	s.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	must(s.t, err)
	return len(entries)
}

// goroutines is how many the process has, by its profile; collect first runs the
// garbage collector.
func (s *server) goroutines() int {
	s.t.Helper()
	resp, err := plainClient.Get("http://" + s.debug + "/debug/pprof/goroutine?debug=1")
	must(s.t, err)
	defer resp.Body.Close()
	var n int
	_, err = fmt.Fscanf(resp.Body, "goroutine profile: total %d", &n)
	must(s.t, err)
	return n
}

func (s *server) collect() {
	resp, err := plainClient.Get("http://" + s.debug + "/debug/pprof/heap?gc=1")
	must(s.t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}
