package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	// startTime and stopTime bound what "within seconds" may mean on a busy machine.
	startTime = time.Minute
	stopTime  = 15 * time.Second
	// settleTime is how long a change may take to be served.
	settleTime = 30 * time.Second
)

// server is a running `chartserve serve`.
type server struct {
	// URL is the repository's URL as chartserve wrote it into its ready file.
	URL string
	// Repo is the repository folder.
	Repo string
	pid  int
	logs *output
}

// output collects what a process prints, while it prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// serve starts chartserve on a free port in dir, waits until the first complete
// index is served, and stops it when the test ends. args are flags and SOURCEs.
func serve(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	return serveIn(t, dir, nil, args...)
}

// serveIn is serve with more variables.
func serveIn(t *testing.T, dir string, variables []string, args ...string) *server {
	t.Helper()
	scratch := t.TempDir()
	ready := filepath.Join(scratch, "ready")
	s := &server{Repo: filepath.Join(scratch, "repo"), logs: &output{}}
	if i := slices.Index(args, "--repo-path"); i >= 0 {
		s.Repo = args[i+1]
	} else {
		args = append([]string{"--repo-path", s.Repo}, args...)
	}
	if !slices.Contains(args, "--address") {
		args = append([]string{"--address", "localhost:0"}, args...)
	}
	cmd := exec.Command(program(t), append([]string{"serve", "--ready-file", ready}, args...)...)
	cmd.Dir, cmd.Env = dir, append(environment(scratch), variables...)
	cmd.Stdout, cmd.Stderr = s.logs, s.logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { s.stop(t, cmd, ended) })
	for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(ready); err == nil {
			s.URL = strings.TrimSuffix(string(data), "\n")
			return s
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("chartserve ended: %v\n%s", err, s.logs)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("chartserve is not ready after %s\n%s", startTime, s.logs)
		}
	}
}

// stop sends SIGTERM, after which chartserve must end by itself with status 0.
func (s *server) stop(t *testing.T, cmd *exec.Cmd, ended chan error) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("chartserve after SIGTERM: %v, want exit status 0", err)
		}
	case <-time.After(stopTime):
		_ = cmd.Process.Kill()
		t.Errorf("chartserve still runs %s after SIGTERM", stopTime)
	}
	if t.Failed() {
		t.Logf("chartserve printed:\n%s", s.logs)
	}
}

// at is the repository's URL with another host name.
func (s *server) at(t *testing.T, host string) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = net.JoinHostPort(host, u.Port())
	return u.String()
}

// get fetches a path below the repository's URL, or from "/" on when it starts with it.
func (s *server) get(t *testing.T, path string) (int, []byte) {
	t.Helper()
	target := s.URL + "/" + path
	if strings.HasPrefix(path, "/") {
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		target = u.Scheme + "://" + u.Host + path
	}
	resp, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// entry is what the index says of one version.
type entry struct {
	Name, Version, Digest string
	Created               time.Time
	URLs                  []string
}

// id is the identity of an entry.
func (e entry) id() string { return e.Name + " " + e.Version }

// index reads index.json, by name and version.
func (s *server) index(t *testing.T) map[string]entry {
	t.Helper()
	code, body := s.get(t, "index.json")
	if code != http.StatusOK {
		t.Fatalf("index.json: %d %s", code, body)
	}
	return readIndex(t, body)
}

// readIndex reads an index in either form, by name and version.
func readIndex(t *testing.T, data []byte) map[string]entry {
	t.Helper()
	var file struct{ Entries map[string][]entry }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatalf("index: %v", err)
	}
	all := map[string]entry{}
	for _, versions := range file.Entries {
		for _, e := range versions {
			all[e.id()] = e
		}
	}
	return all
}

// status is the part of /status that tests look at.
type status struct {
	Charts, Archives int
	Failures         []struct{ Path, Reason string }
	LastRebuild      struct{ Packaged, Reused int }
}

func (s *server) status(t *testing.T) status {
	t.Helper()
	code, body := s.get(t, "/status")
	var st status
	if err := json.Unmarshal(body, &st); err != nil || code != http.StatusOK {
		t.Fatalf("/status: %d, %v\n%s", code, err, body)
	}
	return st
}

// settles waits until the index is as done wants it.
func (s *server) settles(t *testing.T, what string, done func(map[string]entry) bool) map[string]entry {
	t.Helper()
	for deadline := time.Now().Add(settleTime); ; time.Sleep(20 * time.Millisecond) {
		index := s.index(t)
		if done(index) {
			return index
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not served after %s; the index holds %d versions\n%s", what, settleTime, len(index), s.logs)
		}
	}
}

// root is the URL of the server's root.
func (s *server) root() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
