//go:build linux

package dist

import (
	"context"
	_ "embed"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

//go:embed testdata/boot.sh
var boot string

// machine is a Debian of its own: systemd as PID 1, over roots that test/machine.sh puts into
// bin/, without a network. What is done in it ends with the test.
type machine struct {
	share string // a folder that is /mnt in the machine
	pid   string // systemd's
}

// start boots a machine of roots in bin/, the lowest first. It skips the test where that can't
// be: without root, the roots, or a cgroup2 that can be written to.
func start(t *testing.T, roots ...string) *machine {
	t.Helper()
	var layers []string
	for _, name := range roots {
		layers = slices.Insert(layers, 0, root(t, name))
	}
	work, group := t.TempDir(), cgroup(t)
	m := &machine{share: filepath.Join(work, "share")}
	cmd := exec.Command("unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child",
		"bash", "-euc", boot, "boot", strings.Join(layers, ":"), work)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	said := new(log)
	cmd.Stdout, cmd.Stderr = said, said
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if m.pid = child(cmd.Process.Pid); m.pid != "" && m.try("systemctl is-system-running --wait") == "running\n" {
			return m
		}
		select {
		case <-ended:
			t.Fatalf("the machine does not start:\n%s", said)
		default:
			if time.Now().After(deadline) {
				t.Fatalf("the machine does not start within %s:\n%s", patience, said)
			}
		}
	}
}

// root is the path of a root that test/machine.sh makes.
func root(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	must(t, err)
	if os.Getuid() != 0 {
		t.Skip("machines need root")
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("DIST") == "" {
			t.Skipf("no %s (run test/machine.sh)", path)
		}
		t.Fatalf("no %s (run test/machine.sh): %v", path, err)
	}
	return path
}

// cgroup makes a group for the machine's processes, and removes it with all below it.
func cgroup(t *testing.T) *os.File {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	must(t, err)
	for line := range strings.Lines(string(mounts)) {
		field := strings.Fields(line)
		if len(field) < 3 || field[2] != "cgroup2" {
			continue
		}
		dir, err := os.MkdirTemp(field[1], "chartserve-test-")
		if err != nil {
			t.Skipf("systemd can't run in a machine here: %v", err)
		}
		t.Cleanup(func() {
			eventually(t, "removing "+dir, func() bool { // processes that were killed leave it later
				removeGroups(dir)
				_, err := os.Stat(dir)
				return err != nil
			})
		})
		group, err := os.Open(dir)
		must(t, err)
		t.Cleanup(func() { group.Close() })
		return group
	}
	t.Skip("systemd can't run in a machine here: there is no cgroup2")
	return nil
}

// removeGroups removes a cgroup and those below it, as far as they are empty.
func removeGroups(dir string) {
	var groups []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			groups = append(groups, path)
		}
		return nil
	})
	for _, group := range slices.Backward(groups) {
		_ = os.Remove(group)
	}
}

// child is the process that pid has started, empty while there is none.
func child(pid int) string {
	n := strconv.Itoa(pid)
	children, _ := os.ReadFile(filepath.Join("/proc", n, "task", n, "children"))
	first, _, _ := strings.Cut(string(children), " ")
	return first
}

// inside runs a shell script in the machine.
func (m *machine) inside(script string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--target", m.pid, "--all", "--root", "--wd",
		"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "sh", "-euc", script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a shell script in the machine, which must succeed, and returns what it prints.
func (m *machine) run(t *testing.T, script string) string {
	t.Helper()
	out, err := m.inside(script)
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", script, err, out, m.try("systemctl --no-pager status 'chartserve*'; journalctl --no-pager --unit='chartserve*' --lines=40"))
	}
	return out
}

// try runs a shell script in the machine and returns what it prints, whatever its status.
func (m *machine) try(script string) string {
	out, _ := m.inside(script)
	return out
}

// put copies a file of the host's into /mnt of the machine, and returns its path there.
func (m *machine) put(t *testing.T, path, name string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(m.share, name), data, 0o755))
	return "/mnt/" + name
}
