package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// commandTime is how long one command may take before the test gives it up. It is
// generous: other work may share the machine.
const commandTime = 2 * time.Minute

// chartserve is the path of the command under test.
var chartserve = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CHARTSERVE"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "chartserve-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "chartserve")
	build := exec.Command("go", "build", "-o", path, "./cmd/chartserve")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build chartserve: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := chartserve(); err == nil && os.Getenv("CHARTSERVE") == "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is chartserve's path; the test ends when there is none.
func program(t *testing.T) string {
	t.Helper()
	path, err := chartserve()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// result is what a command did.
type result struct {
	stdout, stderr string
	// code is the exit status, -1 when the command did not end by itself.
	code int
}

func (r result) ok() bool { return r.code == 0 }

// all is stdout and stderr together, for messages and for looking for a word.
func (r result) all() string { return r.stdout + r.stderr }

// execute runs one command to its end.
func execute(t *testing.T, dir string, env []string, path string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%s %s: %v", filepath.Base(path), strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s: not done after %s\n%s%s", filepath.Base(path), strings.Join(args, " "), commandTime, &stdout, &stderr)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// environment is a small one: nothing of the machine's own Helm, proxies or
// CHARTSERVE_ variables reaches a test.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8", "KUBECONFIG=" + filepath.Join(home, "no-kubeconfig")}
}

// serveTool runs chartserve once, for the commands that end by themselves.
func serveTool(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return execute(t, dir, environment(t.TempDir()), program(t), args...)
}
