package dist

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// helm is a real one with an empty home, whose path has a blank. It reaches no network but
// this machine.
type helm struct {
	path, home, work string
}

func newHelm(t *testing.T, name string) *helm {
	t.Helper()
	home := filepath.Join(t.TempDir(), "my home")
	h := &helm{path: tool(t, name), home: home, work: filepath.Join(home, "work")}
	must(t, os.MkdirAll(filepath.Join(home, "bin"), 0o755))
	must(t, os.MkdirAll(h.work, 0o755))
	must(t, os.Symlink(h.path, filepath.Join(home, "bin", "helm")))
	return h
}

func (h *helm) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.path, args...)
	cmd.Dir, cmd.Env = h.work, h.environment()
	return cmd
}

func (h *helm) environment() []string {
	return []string{
		"PATH=" + filepath.Join(h.home, "bin") + ":" + os.Getenv("PATH"), "HOME=" + h.home,
		"HELM_DATA_HOME=" + filepath.Join(h.home, "data"), "HELM_CACHE_HOME=" + filepath.Join(h.home, "cache"), "HELM_CONFIG_HOME=" + filepath.Join(h.home, "config"),
		"HTTP_PROXY=http://127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1,localhost",
	}
}

// run returns what helm prints, and its exit status.
func (h *helm) run(args ...string) (string, int) {
	cmd := h.command(args...)
	out, _ := cmd.CombinedOutput() // the status says it
	return string(out), cmd.ProcessState.ExitCode()
}

// does is run for what has to work.
func (h *helm) does(t *testing.T, args ...string) string {
	t.Helper()
	out, code := h.run(args...)
	if code != 0 {
		t.Fatalf("helm %q: exit status %d\n%s", args, code, out)
	}
	return out
}

// plugins are the names in helm's folder of plugins.
func (h *helm) plugins(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.home, "data", "plugins"))
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// archive is the plugin's for this machine.
func archive(t *testing.T, format string) string {
	t.Helper()
	return made(t, "plugin", fmt.Sprintf("chartserve-helm-plugin-*_%s_%s_%s.tgz", format, runtime.GOOS, runtime.GOARCH))
}

// unpacked is the plugin as a directory.
func (h *helm) unpacked(t *testing.T, format string) string {
	t.Helper()
	dir := filepath.Join(h.home, "unpacked")
	must(t, os.MkdirAll(dir, 0o755))
	output(t, "tar", "-xf", archive(t, format), "-C", dir)
	if format == "helm4" {
		dir = filepath.Join(dir, "chartserve-helm-plugin")
	}
	return dir
}

// withPlugin is each Helm with the plugin in its own format.
func withPlugin(t *testing.T, test func(t *testing.T, h *helm)) {
	for _, name := range []string{"helm3", "helm4"} {
		t.Run(name, func(t *testing.T) {
			h := newHelm(t, name)
			h.does(t, "plugin", "install", h.unpacked(t, name))
			test(t, h)
		})
	}
}

// Flags, help and the exit status go through, and what Helm sets disturbs nothing.
func TestPluginPassesAll(t *testing.T) {
	withPlugin(t, func(t *testing.T, h *helm) {
		help := output(t, program(t), "serve", "--help")
		if got := h.does(t, "serve", "--help"); got != help {
			t.Errorf("--help: got\n%s\nwant\n%s", got, help)
		}
		for want, args := range map[int][]string{
			1: {"serve", "--address", "localhost:0", "none"},
			2: {"serve", "--nosuch", "--repo-path=x"},
		} {
			if out, code := h.run(args...); code != want || strings.Contains(out, "CHARTSERVE") || strings.Contains(out, "HELM_") {
				t.Errorf("%q: exit status %d, want %d\n%s", args, code, want, out)
			}
		}
		if out := h.does(t, "--debug", "serve", "--help", "--namespace", "x"); !strings.Contains(out, "--repo-path") {
			t.Errorf("with flags of Helm's own: %s", out)
		}
		if out := h.does(t, "help"); !strings.Contains(out, "\n  serve       serve charts as a live repository, as helm serve did\n") {
			t.Errorf("helm help:\n%s", out)
		}
		// These Helm takes for itself, and does not pass on.
		for _, flag := range []string{"debug", "kube-context", "namespace", "kubeconfig", "kube-apiserver", "kube-token", "kube-as-user", "kube-as-group", "kube-ca-file", "registry-config", "repository-cache", "repository-config", "kube-insecure-skip-tls-verify", "kube-tls-server-name"} {
			if strings.Contains(help, "--"+flag+" ") {
				t.Errorf("chartserve has a flag that Helm keeps: --%s", flag)
			}
		}
	})
}

func TestPluginCompletes(t *testing.T) {
	withPlugin(t, func(t *testing.T, h *helm) {
		for want, args := range map[string][]string{
			"--repo-path\t": {"serve", "--repo-pa"},
			"json\n:4":      {"serve", "--log-format", ""},
			":16\n":         {"serve", ""}, // directories alone
		} {
			if out := h.does(t, append([]string{"__complete"}, args...)...); !strings.Contains(out, want) {
				t.Errorf("%q: got\n%s\nwant %q in it", args, out, want)
			}
		}
	})
}

// serving starts helm serve over a chart, by a wrapper if there is one, and returns once the
// chart is there. gone waits until chartserve has ended by itself, and left its folder to others.
func (h *helm) serving(t *testing.T, wrapper ...string) (cmd *exec.Cmd, logs *log, gone func()) {
	t.Helper()
	write(t, filepath.Join(h.work, "nova", "Chart.yaml"), "apiVersion: v2\nname: nova\nversion: 1.0.0\n")
	ready := filepath.Join(h.work, "ready")
	repository := t.TempDir()
	args := append(wrapper, "serve", "--address=localhost:0", "--ready-file=ready", "--repo-path="+repository, "nova")
	if len(wrapper) > 0 {
		args = []string{"-qefc", "exec helm " + strings.Join(args[len(wrapper):], " "), "/dev/null"}
	}
	cmd = h.command(args...)
	if len(wrapper) > 0 {
		cmd.Path = wrapper[0]
	}
	logs = new(log)
	cmd.Stdout, cmd.Stderr = logs, logs
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(logs)
		}
	})
	return cmd, logs, func() {
		t.Helper()
		eventually(t, "chartserve ends", func() bool {
			_, err := os.Stat(ready)
			return os.IsNotExist(err) && exec.Command(program(t), "build", "--repo-path", repository, filepath.Join(h.work, "nova")).Run() == nil
		})
	}
}

// Ctrl-C in a terminal ends both, and so does a signal that only helm gets.
func TestPluginEnds(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("no script(1) for a terminal")
	}
	withPlugin(t, func(t *testing.T, h *helm) {
		ready := filepath.Join(h.work, "ready")
		isReady := func() bool { _, err := os.Stat(ready); return err == nil }

		cmd, logs, gone := h.serving(t, script)
		keyboard, err := cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		eventually(t, "it serves", isReady)
		_, err = io.WriteString(keyboard, "\x03")
		must(t, err)
		gone()
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("Ctrl-C: %v, want exit status 130, of helm\n%s", err, logs)
		}

		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			cmd, logs, gone := h.serving(t)
			must(t, cmd.Start())
			eventually(t, "it serves", isReady)
			must(t, cmd.Process.Signal(sig))
			gone()
			if err := cmd.Wait(); err == nil {
				t.Errorf("%v: helm ended with 0\n%s", sig, logs)
			}
		}
	})
}

// What Helm says of a plugin that it has not fetched itself; nothing is left of it.
func TestPluginLifecycle(t *testing.T) {
	withPlugin(t, func(t *testing.T, h *helm) {
		if out := h.does(t, "plugin", "list"); !strings.Contains(out, "serve") {
			t.Errorf("list: %s", out)
		}
		if out, code := h.run("plugin", "update", "serve"); code != 1 || !strings.Contains(out, "cannot get information about plugin source") {
			t.Errorf("update: %d, %s", code, out)
		}
		h.does(t, "plugin", "uninstall", "serve")
		if got := h.plugins(t); len(got) > 0 {
			t.Errorf("after uninstall there are %v", got)
		}
	})
}

// Archives: Helm 3 takes them from a web server, again too, and Helm 4 from there and from
// disk, if it is told that nobody has signed them.
func TestPluginArchives(t *testing.T) {
	dir := folder(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/gzip")
		http.ServeFile(w, r, filepath.Join(dir, filepath.Base(r.URL.Path)))
	}))
	defer web.Close()
	h3, a3 := newHelm(t, "helm3"), archive(t, "helm3")
	if out, code := h3.run("plugin", "install", a3); code != 1 || !strings.Contains(out, "expected plugin to be a folder") {
		t.Errorf("helm3 takes an archive from disk: %d, %s", code, out)
	}
	h4, a4 := newHelm(t, "helm4"), archive(t, "helm4")
	if out, code := h4.run("plugin", "install", a4); code != 1 || !strings.Contains(out, "no provenance file (.prov) found") {
		t.Errorf("helm4 takes an archive that nobody signed: %d, %s", code, out)
	}
	for range 2 {
		for _, c := range []struct {
			h    *helm
			args []string
		}{
			{h3, []string{web.URL + "/" + filepath.Base(a3)}},
			{h4, []string{"--verify=false", web.URL + "/" + filepath.Base(a4)}},
			{h4, []string{"--verify=false", a4}},
		} {
			c.h.does(t, append([]string{"plugin", "install"}, c.args...)...)
			if got := c.h.plugins(t); !slices.Contains(got, "chartserve-helm-plugin") {
				t.Errorf("%v: installed as %v", c.args, got)
			}
			c.h.does(t, "serve", "--help")
			c.h.does(t, "plugin", "uninstall", "serve")
			if got := c.h.plugins(t); len(got) > 0 {
				t.Errorf("%v: after uninstall there are %v", c.args, got)
			}
		}
	}
}

// Helm 4 reads Helm 3's format too; not the other way round, where no plugin works any more.
func TestPluginFormats(t *testing.T) {
	h := newHelm(t, "helm4")
	h.does(t, "plugin", "install", h.unpacked(t, "helm3"))
	h.does(t, "serve", "--help")
	h = newHelm(t, "helm3")
	if out, code := h.run("plugin", "install", h.unpacked(t, "helm4")); code != 1 || !strings.Contains(out, `unknown field "apiVersion"`) {
		t.Errorf("helm3 takes helm4's format: %d, %s", code, out)
	}
}
