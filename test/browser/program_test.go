package browser

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startTime and stopTime bound how long a server may take on a busy machine.
	startTime = 2 * time.Minute
	stopTime  = 15 * time.Second
)

// installed is a file in ../../bin, or what variable names.
func installed(variable, name string) (string, error) {
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join("..", "..", "bin", name)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: run make build and test/browser.sh, or set %s", path, variable)
	}
	return filepath.Abs(path)
}

func TestMain(m *testing.M) {
	removeHelm := offerHelm()
	code := m.Run()
	closeBrowser()
	removeHelm()
	os.Exit(code)
}

// offerHelm puts the Helm that test/clients.sh gets, if it has, on the PATH as helm.
func offerHelm() (remove func()) {
	helm, err := installed("HELM", "helm4")
	if err != nil {
		return func() {}
	}
	dir, err := os.MkdirTemp("", "browser-")
	if err == nil {
		err = os.Symlink(helm, filepath.Join(dir, "helm"))
	}
	if err != nil {
		panic(err)
	}
	os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() { _ = os.RemoveAll(dir) }
}

// build runs chartserve build with args.
func build(t *testing.T, args ...string) {
	t.Helper()
	path, err := installed("CHARTSERVE", "chartserve")
	must(t, err)
	cmd := exec.Command(path, append([]string{"build"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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

// serve starts chartserve, waits until the first complete index is served, and stops it when
// the test ends. It returns the URL of the list, with a slash at its end.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	path, err := installed("CHARTSERVE", "chartserve")
	must(t, err)
	scratch := t.TempDir()
	ready, logs := filepath.Join(scratch, "ready"), &output{}
	cmd := exec.Command(path, append([]string{"serve", "--ready-file", ready, "--address", "localhost:0"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = logs, logs
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stop(t, cmd, ended, logs) })
	for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(ready); err == nil {
			u, err := url.Parse(strings.TrimSpace(string(data)))
			must(t, err)
			return u.Scheme + "://" + u.Host + "/"
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("chartserve ended: %v\n%s", err, logs)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("chartserve is not ready after %s\n%s", startTime, logs)
		}
	}
}

// stop sends SIGTERM, after which chartserve must end by itself with status 0.
func stop(t *testing.T, cmd *exec.Cmd, ended chan error, logs *output) {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("chartserve after SIGTERM: %v, want exit status 0\n%s", err, logs)
		}
	case <-time.After(stopTime):
		_ = cmd.Process.Kill()
		t.Errorf("chartserve still runs %s after SIGTERM\n%s", stopTime, logs)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
