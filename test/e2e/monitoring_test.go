package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// promtool finds Prometheus's own checker, which test/promtool.sh puts into bin/.
func promtool(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command(filepath.Join("..", "promtool.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "promtool"))
	must(t, err)
	return path
}

// Prometheus takes the metrics, and the alerts do what their test says.
func TestPromtool(t *testing.T) {
	tool := promtool(t)
	operations, err := filepath.Abs(filepath.Join("..", "..", "docs", "operations"))
	must(t, err)
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		if r := execute(t, operations, nil, tool, args...); !r.ok() {
			t.Errorf("promtool %s: exit %d\n%s", strings.Join(args, " "), r.code, r.all())
		}
	}
	dir := t.TempDir()
	files{"nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, dir)
	s := serve(t, dir, "--enable-metrics", dir)
	s.get(t, "index.yaml")
	code, text := s.get(t, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d", code)
	}
	cmd := exec.Command(tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(string(text))
	out, err := cmd.CombinedOutput()
	if _, ran := err.(*exec.ExitError); err != nil && !ran {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		// ChartMuseum's gauges are called as its dashboards know them.
		if !strings.HasPrefix(line, "chartmuseum_") {
			t.Errorf("promtool check metrics: %s", line)
		}
	}
}

// A log that is renamed and reopened under load, as logrotate does, has each request once,
// those of the last moment before SIGTERM too.
func TestAccessLogIsRotated(t *testing.T) {
	const clients, requests, rotations = 4, 500, 10
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	files{"charts/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, dir)
	t.Run("load", func(t *testing.T) {
		s := serve(t, dir, "--access-log="+log, "charts")
		var load sync.WaitGroup
		for c := range clients {
			load.Go(func() {
				for i := range requests {
					r, err := http.NewRequest(http.MethodGet, s.URL+"/nova-1.0.0.tgz", nil)
					if err != nil {
						t.Error(err)
						return
					}
					r.Header.Set("X-Request-Id", fmt.Sprintf("%d.%d", c, i))
					resp, err := http.DefaultClient.Do(r)
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
				}
			})
		}
		for i := range rotations {
			must(t, os.Rename(log, fmt.Sprintf("%s.%d", log, i)))
			must(t, syscall.Kill(s.pid, syscall.SIGHUP))
			for deadline := time.Now().Add(settleTime); ; time.Sleep(time.Millisecond) {
				if _, err := os.Stat(log); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the log is not opened again")
				}
			}
		}
		load.Wait()
	})
	names, err := filepath.Glob(log + "*")
	must(t, err)
	seen := map[string]int{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(t, err)
		for line := range strings.Lines(string(data)) {
			var r struct{ RequestID string }
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v in %q", name, err, line)
			}
			seen[r.RequestID]++
		}
	}
	for c := range clients {
		for i := range requests {
			if id := fmt.Sprintf("%d.%d", c, i); seen[id] != 1 {
				t.Errorf("request %s is there %d times", id, seen[id])
			}
		}
	}
	if len(names) != rotations+1 {
		t.Errorf("there are %d files", len(names))
	}
}
