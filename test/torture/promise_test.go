//go:build linux

package torture

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// world is a folder with all that a run could write to: its working directory, home,
// and temporary files beside SOURCEs and the folders that are named.
type world struct {
	t   *testing.T
	dir string
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{t, t.TempDir()}
	for _, dir := range []string{"cwd", "home", "tmp", "src"} {
		must(t, os.Mkdir(w.path(dir), 0o755))
	}
	writeChart(t, w.path("src/nova"), "nova", "1.0.0", 100)
	writeFile(t, w.path("src/archives/good-1.0.0.tgz"), tarball(t, goodMembers("good")...))
	writeFile(t, w.path("src/archives/bad-1.0.0.tgz"), []byte("junk"))
	return w
}

func (w world) path(name string) string { return filepath.Join(w.dir, name) }

func (w world) prepare(cmd *exec.Cmd) {
	cmd.Dir = w.path("cwd")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.path("home"), "TMPDIR=" + w.path("tmp")}
}

// state is what is in the world, but for what the names may change: files and folders
// by path, with what tells that one was written to.
func (w world) state(but ...string) map[string]string {
	w.t.Helper()
	seen := map[string]string{}
	must(w.t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, w.dir)
		for _, name := range but {
			if rel == "/"+name && d.IsDir() {
				return fs.SkipDir
			} else if strings.HasPrefix(rel, "/"+name) {
				return nil
			}
		}
		fi, err := d.Info()
		if err != nil || rel == "" || rel == "/tmp" { // what comes and goes in them changes these
			return err
		}
		seen[rel] = fi.Mode().String() + fi.ModTime().String()
		return nil
	}))
	return seen
}

// unchanged checks that f changes nothing but what is named.
func (w world) unchanged(what string, f func(), but ...string) {
	w.t.Helper()
	before := w.state(but...)
	f()
	after := w.state(but...)
	for path, was := range before {
		if after[path] != was {
			w.t.Errorf("%s: %s was %q and is %q", what, path, was, after[path])
		}
	}
	for path := range after {
		if before[path] == "" {
			w.t.Errorf("%s: %s was written", what, path)
		}
	}
}

// run runs chartserve to its end and returns what it printed.
func (w world) run(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), program(w.t), args...)
	w.prepare(cmd)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		w.t.Fatal(err)
	}
	return string(out)
}

// TestWritesToOneFolder: no command writes to anything but the folder and the files
// that are named to it (SECURITY.md): not to SOURCEs, nor to where it stands. What it
// has below the system's temporary folder it removes.
func TestWritesToOneFolder(t *testing.T) {
	w := newWorld(t)
	w.unchanged("serve", func() {
		s := launchWith(t, w.prepare, w.path("repo"), w.path("src"))
		s.await()
		must(t, s.serves("nova-1.0.0", "good-1.0.0"))
		for _, path := range []string{"/", "/status", "index.json", "nova-1.0.0.tgz", "/api/charts"} {
			s.get(path)
		}
		s.stop()
	}, "repo")
	for _, tt := range []struct {
		args string
		made string // a name in the world that shows that something was done
	}{
		{"build --repo-path ../built ../src", "built/index.yaml"},
		{"package -d ../packed ../src/nova", "packed/nova-1.0.0.tgz"},
		{"package -d ../packed ../src/nothing", ""},
		{"index ../packed", "packed/index.yaml"},
		{"images ../src/nova", ""},
		{"images --repo-path ../built", ""},
		{"verify --repo-path ../built", ""},
		{"bundle create -o ../made.tar --repo-path ../built", "made.tar"},
		{"bundle create -o ../sources.tar ../src/nova", "sources.tar"},
		{"bundle verify ../made.tar", ""},
		{"bundle load --repo-path ../loaded ../made.tar", "loaded/index.yaml"},
		{"mirror --repo-path ../mirrored ../built", "mirrored/index.yaml"},
	} {
		args := strings.Fields(tt.args)
		var named []string
		for i, a := range args {
			if name, ok := strings.CutPrefix(a, "../"); ok && !strings.HasPrefix(name, "src") && (i > 0 && strings.HasPrefix(args[i-1], "-") || args[0] == "index") {
				named = append(named, name)
			}
		}
		w.unchanged(tt.args, func() {
			out := w.run(args...)
			if _, err := os.Stat(w.path(tt.made)); tt.made != "" && err != nil {
				t.Errorf("%s made no %s:\n%s", tt.args, tt.made, out)
			}
		}, named...)
	}
}

// TestNoDownloads: nothing is fetched unless it is asked for (SECURITY.md). The
// repository that a chart names counts its callers.
func TestNoDownloads(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var calls atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close() })
	const dependency = "apiVersion: v2\nname: app\nversion: 1.0.0\nicon: URL/icon.png\ndependencies:\n- {name: lib, version: 1.0.0, repository: URL}\n"
	writeFile(t, w.path("src/app/Chart.yaml"), []byte(strings.ReplaceAll(dependency, "URL", "http://"+l.Addr().String()+"/charts")))
	writeFile(t, w.path("src/app/values.yaml"), []byte("image: "+l.Addr().String()+"/a/b:1\n"))
	w.run("build", "--repo-path", "../built", "../src")
	w.run("package", "-d", "../packed", "../src/app")
	w.run("images", "../src/app")
	w.run("bundle", "create", "-o", "../a.tar", "../src")
	w.run("verify", "--repo-path", "../built", "--offline")
	w.run("index", "../built")
	s := launchWith(t, w.prepare, w.path("repo"), w.path("src"))
	s.await()
	time.Sleep(500 * time.Millisecond)
	s.get("/")
	s.stop()
	if n := calls.Load(); n > 0 {
		t.Errorf("the repository was called %d times", n)
	}
	w.run("package", "-d", "../packed", "--fetch-dependencies", "../src/app")
	if calls.Load() == 0 {
		t.Error("with --fetch-dependencies it was not called either: the test shows nothing")
	}
}

// TestClientBounds: what a client may send, by the numbers of SECURITY.md.
func TestClientBounds(t *testing.T) {
	t.Parallel() // it waits
	w := newWorld(t)
	s := launchWith(t, w.prepare, w.path("repo"), w.path("src"))
	s.await()
	slow, err := net.Dial("tcp", s.host())
	must(t, err)
	defer slow.Close()
	begun := time.Now()
	_, err = slow.Write([]byte("GET /charts/index.yaml HTTP/1.1\r\nHost: localhost\r\n"))
	must(t, err)

	headers := func(kib int) string { return strings.Repeat("X-A: "+strings.Repeat("a", 1017)+"\r\n", kib) }
	body := func(bytes int) string {
		return fmt.Sprintf("Content-Length: %d\r\n\r\n", bytes) + strings.Repeat("a", bytes)
	}
	for _, tt := range []struct{ name, rest, want string }{
		{"60 KiB of headers", headers(60) + "\r\n", "200"},
		{"80 KiB of headers", headers(80) + "\r\n", "431"},
		{"64 KiB of a body", body(64 << 10), "200"},
		{"more of a body", body(64<<10 + 1), "413"},
	} {
		c, err := net.Dial("tcp", s.host())
		must(t, err)
		_, _ = io.WriteString(c, "GET /charts/index.yaml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+tt.rest) // it may be cut off
		answer := make([]byte, 12)
		if _, err := io.ReadFull(c, answer); err != nil || !strings.HasSuffix(string(answer), tt.want) {
			t.Errorf("%s: %q, %v, want %s", tt.name, answer, err, tt.want)
		}
		c.Close()
	}
	must(t, slow.SetReadDeadline(begun.Add(30*time.Second)))
	if _, err := io.Copy(io.Discard, slow); err != nil {
		t.Errorf("half of the headers: %v", err)
	}
	if took := time.Since(begun); took < 8*time.Second || took > 20*time.Second {
		t.Errorf("half of the headers: it was closed after %s, want 10 s", took)
	}
	s.stop()
}
