package dist

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tool is the path of a program that test/clients.sh, machine.sh, qemu.sh or wine.sh puts into bin/, or that a variable named
// like it names. Where all parts must be there, it must be there too.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := os.Getenv(strings.ToUpper(name))
	if path == "" {
		path = filepath.Join("..", "..", "bin", name)
	}
	path, err := filepath.Abs(path)
	must(t, err)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("DIST") == "" {
			t.Skipf("no %s (a script in test/ gets it)", name)
		}
		t.Fatalf("no %s (a script in test/ gets it): %v", name, err)
	}
	return path
}

// log is what a process prints, while it prints.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// patience bounds what a test waits for; it is only used up by one that fails.
const patience = 2 * time.Minute

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// serve runs the program for this machine on a free port and returns its host and port.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	ready, logs := filepath.Join(dir, "ready"), new(log)
	cmd := exec.Command(program(t), append([]string{"serve", "--address", "localhost:0", "--ready-file", ready, "--repo-path", filepath.Join(dir, "repo")}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	cmd.Stdout, cmd.Stderr = logs, logs
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("chartserve: %v\n%s", err, logs)
		}
	})
	var url string
	eventually(t, "chartserve is ready", func() bool {
		data, err := os.ReadFile(ready)
		url = strings.TrimSpace(string(data))
		return err == nil
	})
	return strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/charts")
}

// write makes a file, and its directories.
func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}
