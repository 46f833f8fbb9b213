package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A load that is killed, again and again, at any moment: whoever looks sees the
// folder without the bundle or with all of it, and the next load goes on.
func TestBundleLoadKilled(t *testing.T) {
	dir := t.TempDir()
	const charts = 60
	for i := range charts {
		writeChart(t, filepath.Join(dir, "charts"), fmt.Sprintf("chart-%d", i), "1.0.0")
	}
	writeChart(t, filepath.Join(dir, "old"), "old", "1.0.0")
	tar, site := filepath.Join(dir, "site.tar"), filepath.Join(dir, "site")
	mustCall(t, "bundle", "create", "-o", tar, filepath.Join(dir, "charts"))
	mustCall(t, "build", "--repo-path", site, filepath.Join(dir, "old"))

	start := time.Now()
	mustCall(t, "bundle", "load", tar, "--repo-path", filepath.Join(dir, "unhurried"))
	whole := time.Since(start)
	killed, partly := 0, 0
	for range 20 {
		cmd := exec.Command("chartserve", "bundle", "load", tar, "--repo-path", site)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		_ = cmd.Process.Kill() // it may be done already
		if cmd.Wait() != nil {
			killed++
		}
		data, err := os.ReadFile(filepath.Join(site, "index.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "name: chart-"); n != 0 && n != charts {
			t.Fatalf("%d of %d charts are published", n, charts)
		} else if n == charts {
			for i := range charts {
				if _, err := os.Stat(filepath.Join(site, fmt.Sprintf("chart-%d-1.0.0.tgz", i))); err != nil {
					t.Fatal(err)
				}
			}
			if killed > 0 {
				partly++
			}
			if err := os.RemoveAll(site); err != nil {
				t.Fatal(err)
			}
			mustCall(t, "build", "--repo-path", site, filepath.Join(dir, "old"))
		}
	}
	t.Logf("%d loads killed, %d got through", killed, partly)
	if killed == 0 {
		t.Error("no load was killed: nothing was tested")
	}
	mustCall(t, "bundle", "load", tar, "--repo-path", site)
	if out := mustCall(t, "bundle", "load", tar, "--repo-path", site); !strings.Contains(out, "has all of it already") {
		t.Errorf("after the last: %s", out)
	}
	left, err := filepath.Glob(filepath.Join(site, ".*"))
	if err != nil || len(left) != 2 { // .lock and .state
		t.Errorf("left in the folder: %q", left)
	}
}

// A create that is killed leaves no file that passes for a bundle.
func TestBundleCreateKilled(t *testing.T) {
	dir := t.TempDir()
	bigCharts(t, filepath.Join(dir, "charts"), 4, 2<<20)
	repoPath := filepath.Join(dir, "built")
	mustCall(t, "build", "--repo-path", repoPath, filepath.Join(dir, "charts"))
	out := filepath.Join(dir, "out")
	create := func(split string) []string {
		if err := errors.Join(os.RemoveAll(out), os.Mkdir(out, 0o755)); err != nil {
			t.Fatal(err)
		}
		return []string{"bundle", "create", "-o", filepath.Join(out, "x.tar"), "--split", split, "--repo-path", repoPath}
	}
	start := time.Now()
	mustCall(t, create("1MiB")...)
	whole := time.Since(start)
	unfinished := 0
	for i := range 16 {
		cmd := exec.Command("chartserve", create([]string{"1MiB", "1GiB"}[i%2])...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		_ = cmd.Process.Kill() // it may be done already
		_ = cmd.Wait()
		first := filepath.Join(out, "x.tar.001")
		code, stdout, _ := call(t, "bundle", "verify", first)
		_, err := os.Stat(filepath.Join(out, "x.tar.sha256"))
		if err == nil && code != 0 {
			t.Fatalf("with a list of checksums it is no bundle: %s", stdout)
		}
		if code != 0 {
			unfinished++
		}
	}
	if unfinished == 0 {
		t.Error("none was killed in time: nothing was tested")
	}
	mustCall(t, create("1MiB")...)
}

// What killed creates have left, of whatever name, the next one removes: parts, and the
// repository that it builds of SOURCEs. One that is at work is left alone.
func TestBundleCreateSweeps(t *testing.T) {
	dir := t.TempDir()
	bigCharts(t, filepath.Join(dir, "charts"), 4, 2<<20)
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	hidden := func() []string {
		names, err := filepath.Glob(filepath.Join(out, ".*"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	start := time.Now()
	mustCall(t, "bundle", "create", "-o", filepath.Join(out, "x.tar"), filepath.Join(dir, "charts"))
	whole, left := time.Since(start), 0
	for i := range 12 {
		cmd := exec.Command("chartserve", "bundle", "create", "-o", filepath.Join(out, fmt.Sprintf("%d.tar", i)), "--split", "1MiB", filepath.Join(dir, "charts"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		_ = cmd.Process.Kill() // it may be done already
		_ = cmd.Wait()
		if n := len(hidden()); n > 1 {
			t.Fatalf("left: %q", hidden())
		} else {
			left += n
		}
	}
	if left == 0 {
		t.Error("none was killed in time: nothing was tested")
	}
	busy := exec.Command("chartserve", "bundle", "create", "-o", filepath.Join(out, "busy.tar"), filepath.Join(dir, "charts"))
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	mustCall(t, "bundle", "create", "-o", filepath.Join(out, "x.tar"), filepath.Join(dir, "charts"))
	if err := busy.Wait(); err != nil {
		t.Errorf("another create was disturbed: %v", err)
	}
	mustCall(t, "bundle", "verify", filepath.Join(out, "busy.tar"))
	if left := hidden(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// The memory that a bundle takes does not grow with it: 140 MB against a small one.
func TestBundleMemory(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("writes 280 MB")
	}
	peak := func(charts, size int) (create, verify, load int64) {
		dir := t.TempDir()
		bigCharts(t, filepath.Join(dir, "charts"), charts, size)
		built, tar := filepath.Join(dir, "built"), filepath.Join(dir, "x.tar")
		mustCall(t, "build", "--repo-path", built, filepath.Join(dir, "charts"))
		if err := os.RemoveAll(filepath.Join(dir, "charts")); err != nil {
			t.Fatal(err)
		}
		create = rss(t, "bundle", "create", "--jobs", "2", "-o", tar, "--repo-path", built)
		if err := os.RemoveAll(built); err != nil {
			t.Fatal(err)
		}
		verify = rss(t, "bundle", "verify", tar)
		load = rss(t, "bundle", "load", "--jobs", "2", tar, "--repo-path", filepath.Join(dir, "site"))
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		return create, verify, load
	}
	create0, verify0, load0 := peak(2, 4<<20)
	create, verify, load := peak(35, 4<<20)
	t.Logf("KiB: create %d, small %d; verify %d, small %d; load %d, small %d", create, create0, verify, verify0, load, load0)
	const more = 32 << 10 // KiB; the garbage collector's share varies
	if create > create0+more || verify > verify0+more || load > load0+more {
		t.Error("memory grows with the bundle")
	}
}

// rss runs chartserve as a process and gives its largest resident size, in KiB. What
// wait tells counts the memory of this process as well, from before exec.
func rss(t *testing.T, args ...string) (peak int64) {
	t.Helper()
	cmd := exec.Command("chartserve", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	status := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%q: %v\n%s", args, err, &out)
			}
			if peak == 0 {
				t.Skip("needs /proc")
			}
			return peak
		case <-time.After(2 * time.Millisecond):
			data, err := os.ReadFile(status)
			_, rest, ok := strings.Cut(string(data), "VmHWM:")
			exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
			if err != nil || !ok || !strings.HasSuffix(exe, "chartserve") {
				continue // it has not begun, or is done
			}
			var n int64
			if _, err := fmt.Sscan(rest, &n); err == nil {
				peak = max(peak, n)
			}
		}
	}
}

// bigCharts makes charts with a file each that does not compress.
func bigCharts(t *testing.T, dir string, n, size int) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	for i := range n {
		name := fmt.Sprintf("big-%d", i)
		writeChart(t, dir, name, "1.0.0")
		var b bytes.Buffer
		if _, err := io.CopyN(&b, random, int64(size)); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name, "files", "data"), b.String())
	}
}

// mustCall runs a command line that must go well, and gives its stdout.
func mustCall(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := call(t, args...)
	if code != 0 {
		t.Fatalf("%q: exit status %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}
