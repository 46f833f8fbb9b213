package dist

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// container is one run of the image by runc: its user, without capabilities, on a read-only
// root, in a network of its own, with /data and /run as volumes.
type container struct {
	id, bundle string
	volumes    map[string]string // from where, by where to
	logs       *log
	ended      chan error
}

// prepare unpacks the image of this machine's platform. It skips where containers can't be run.
func prepare(t *testing.T) *container {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "true").CombinedOutput(); err != nil {
		t.Skipf("no container can be run here: %v: %s", err, out)
	}
	archive := made(t, "image", strings.ReplaceAll(amd64Archive, "amd64", runtime.GOARCH))
	c := &container{id: fmt.Sprintf("chartserve-%d-%d", os.Getpid(), time.Now().UnixNano()), bundle: t.TempDir(), logs: new(log), volumes: map[string]string{}}
	root := filepath.Join(c.bundle, "rootfs")
	must(t, os.Mkdir(root, 0o755))
	output(t, "sh", "-c", `"$0" export - - <"$1" | tar --numeric-owner -xpf - -C "$2"`, tool(t, "crane"), archive, root)
	for _, at := range []string{"/data", "/run"} {
		c.volumes[at] = t.TempDir()
		// An engine gives a new volume the owner of the image's directory.
		must(t, os.Chown(c.volumes[at], 65532, 65532))
	}
	must(t, os.Mkdir(filepath.Join(root, "run"), 0o755)) // an engine makes where it mounts
	return c
}

// start runs the container with more variables.
func (c *container) start(t *testing.T, variables ...string) {
	t.Helper()
	output(t, "sh", "-c", `cd "$1" && rm -f config.json && "$0" spec`, tool(t, "runc"), c.bundle)
	path := filepath.Join(c.bundle, "config.json")
	data, err := os.ReadFile(path)
	must(t, err)
	var spec map[string]any
	must(t, json.Unmarshal(data, &spec))
	config := imageConfig(t)
	none := []string{}
	spec["process"] = map[string]any{
		"args": config.Entrypoint, "env": append(config.Env, variables...), "cwd": config.WorkingDir,
		"user":            map[string]any{"uid": 65532, "gid": 65532},
		"capabilities":    map[string]any{"bounding": none, "effective": none, "permitted": none, "inheritable": none, "ambient": none},
		"noNewPrivileges": true,
	}
	spec["root"] = map[string]any{"path": "rootfs", "readonly": true}
	mounts := spec["mounts"].([]any)
	for to, from := range c.volumes {
		option := "rw"
		if to == "/charts" {
			option = "ro"
		}
		mounts = append(mounts, map[string]any{"destination": to, "type": "bind", "source": from, "options": []string{"rbind", option}})
	}
	spec["mounts"] = mounts
	data, err = json.Marshal(spec)
	must(t, err)
	must(t, os.WriteFile(path, data, 0o644))

	cmd := c.runc("run", "--bundle", c.bundle, "--pid-file", filepath.Join(c.bundle, "pid"), c.id)
	cmd.Stdout, cmd.Stderr = c.logs, c.logs
	must(t, cmd.Start())
	c.ended = make(chan error, 1)
	go func() { c.ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = c.runc("delete", "--force", c.id).Run() // it has ended, mostly
		if t.Failed() {
			t.Logf("the container printed:\n%s", c.logs)
		}
	})
}

func (c *container) runc(args ...string) *exec.Cmd {
	path, _ := filepath.Abs(filepath.Join("..", "..", "bin", "runc"))
	return exec.Command(path, append([]string{"--root", filepath.Join(c.bundle, "state")}, args...)...)
}

// exec runs a command in the container, as docker exec does.
func (c *container) exec(args ...string) (string, error) {
	out, err := c.runc(append([]string{"exec", c.id}, args...)...).CombinedOutput()
	return string(out), err
}

// ready waits for the container to say of itself that it is.
func (c *container) ready(t *testing.T) {
	t.Helper()
	var said string
	eventually(t, "the container is ready", func() bool {
		var err error
		said, err = c.exec("/usr/bin/chartserve", "health", "--ready")
		select {
		case err := <-c.ended:
			t.Fatalf("the container ended: %v\n%s", err, c.logs)
		default:
		}
		return err == nil
	})
	if !strings.HasSuffix(said, ": ready\n") {
		t.Errorf("health said %q", said)
	}
}

// ends returns the exit status, which has to come in time.
func (c *container) ends(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case err := <-c.ended:
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return exit.ExitCode()
		}
		must(t, err)
		return 0
	case <-time.After(within):
		t.Fatalf("the container still runs after %s", within)
		return 0
	}
}

// helm runs helm in the container's network.
func (c *container) helm(t *testing.T, args ...string) string {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(c.bundle, "pid"))
	must(t, err)
	home := filepath.Join(c.bundle, "home")
	script := `export HELM_CONFIG_HOME="$0" HELM_CACHE_HOME="$0" HELM_DATA_HOME="$0"; cd "$0" && exec "$@"`
	must(t, os.MkdirAll(home, 0o755))
	return output(t, "nsenter", append([]string{"--net=/proc/" + string(pid) + "/ns/net", "sh", "-c", script, home, tool(t, "helm3")}, args...)...)
}

func imageConfig(t *testing.T) v1.Config {
	t.Helper()
	img, err := tarball.ImageFromPath(made(t, "image", amd64Archive), nil)
	must(t, err)
	file, err := img.ConfigFile()
	must(t, err)
	return file.Config
}

// The image runs as an engine would run it: Helm uses it, an edit is seen, SIGTERM ends it in
// time, and what it made is served again from its volume alone.
func TestImageRuns(t *testing.T) {
	c := prepare(t)
	charts := t.TempDir()
	chart := filepath.Join(charts, "nova", "Chart.yaml")
	write(t, chart, "apiVersion: v2\nname: nova\nversion: 1.0.0\ndependencies:\n- name: toolkit\n  version: 1.0.0\n  repository: file://../toolkit\n")
	write(t, filepath.Join(charts, "toolkit", "Chart.yaml"), "apiVersion: v2\nname: toolkit\nversion: 1.0.0\n")
	must(t, os.Chmod(charts, 0o755))
	c.volumes["/charts"] = charts
	c.start(t)
	c.ready(t)

	pid, err := os.ReadFile(filepath.Join(c.bundle, "pid"))
	must(t, err)
	status, err := os.ReadFile("/proc/" + string(pid) + "/status")
	must(t, err)
	for _, want := range []string{"\nUid:\t65532\t65532\t65532\t65532\n", "\nGid:\t65532\t65532\t65532\t65532\n", "\nCapEff:\t0000000000000000\n", "\nNSpid:\t" + string(pid) + "\t1\n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("its status lacks %q:\n%s", want, status)
		}
	}
	c.helm(t, "repo", "add", "it", "http://localhost:8879/charts")
	c.helm(t, "pull", "it/nova", "--version", "1.0.0", "--untar")
	if _, err := os.Stat(filepath.Join(c.bundle, "home", "nova", "charts", "toolkit")); err != nil {
		t.Error(err)
	}
	write(t, chart, "apiVersion: v2\nname: nova\nversion: 1.1.0\n")
	eventually(t, "the edit is served", func() bool {
		c.helm(t, "repo", "update")
		return strings.Contains(c.helm(t, "search", "repo", "nova"), "1.1.0")
	})
	must(t, c.runc("kill", c.id, "TERM").Run())
	if got := c.ends(t, 10*time.Second); got != 0 {
		t.Errorf("after SIGTERM: exit status %d, want 0", got)
	}

	again := prepare(t)
	again.volumes["/data"] = c.volumes["/data"]
	again.start(t, "CHARTSERVE_ADDRESS=:8879,unix:/run/http", "CHARTSERVE_ALLOW_UPLOAD=true")
	again.ready(t)
	again.helm(t, "pull", "nova", "--version", "1.0.0", "--repo", "http://127.0.0.1:8879/charts")
	write(t, filepath.Join(again.bundle, "heat", "Chart.yaml"), "apiVersion: v2\nname: heat\nversion: 1.0.0\n")
	output(t, tool(t, "helm3"), "package", "-d", again.bundle, filepath.Join(again.bundle, "heat"))
	heat, err := os.Open(filepath.Join(again.bundle, "heat-1.0.0.tgz"))
	must(t, err)
	defer heat.Close()
	r, err := again.client().Post("http://localhost/api/charts", "application/gzip", heat)
	must(t, err)
	r.Body.Close()
	if r.StatusCode != http.StatusCreated {
		t.Errorf("an upload: %s", r.Status)
	}
	must(t, again.runc("kill", again.id, "KILL").Run()) // what crashes and memory limits do
	again.ends(t, 10*time.Second)

	last := prepare(t)
	last.volumes["/data"], last.volumes["/run"] = again.volumes["/data"], again.volumes["/run"]
	last.start(t, "CHARTSERVE_ADDRESS=:8879,unix:/run/http")
	last.ready(t)
	last.helm(t, "pull", "heat", "--repo", "http://127.0.0.1:8879/charts")
	must(t, last.runc("kill", last.id, "INT").Run())
	if got := last.ends(t, 10*time.Second); got != 0 {
		t.Errorf("after SIGINT: exit status %d, want 0", got)
	}
}

// client asks the container on /run/http.
func (c *container) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(c.volumes["/run"], "http"))
	}}}
}

// Process 1 gets no default action of signals from the kernel: a second SIGTERM ends it all the
// same, while a request is in flight.
func TestImageSecondSignal(t *testing.T) {
	c := prepare(t)
	c.start(t, "CHARTSERVE_ADDRESS=unix:/run/http", "CHARTSERVE_ALLOW_UPLOAD=true")
	c.ready(t)
	conn, err := net.Dial("unix", filepath.Join(c.volumes["/run"], "http"))
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /api/charts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") { // said when the body is wanted
		t.Fatalf("got %q and %v", line, err)
	}
	must(t, c.runc("kill", c.id, "TERM").Run())
	eventually(t, "it stops", func() bool { return strings.Contains(c.logs.String(), "msg=stopping") })
	must(t, c.runc("kill", c.id, "TERM").Run())
	if got := c.ends(t, 5*time.Second); got == 0 {
		t.Errorf("after a second SIGTERM: exit status 0, want another: a request was in flight")
	}
}

// What is wrong with a volume is said in a line, with what to do.
func TestImageVolumes(t *testing.T) {
	c := prepare(t)
	must(t, os.Chown(c.volumes["/data"], 0, 0))
	c.start(t)
	if got := c.ends(t, patience); got != 1 || !strings.Contains(c.logs.String(), "it must be writable") {
		t.Errorf("a volume of root's: exit status %d\n%s", got, c.logs)
	}

	c = prepare(t) // a file system of its own has a lost+found
	must(t, os.Mkdir(filepath.Join(c.volumes["/data"], "lost+found"), 0o700))
	c.start(t, "CHARTSERVE_ADDRESS=unix:/run/http")
	c.ready(t)
	r, err := c.client().Get("http://localhost/status")
	must(t, err)
	defer r.Body.Close()
	var status struct{ Failures []any }
	must(t, json.NewDecoder(r.Body).Decode(&status))
	if len(status.Failures) > 0 {
		t.Errorf("a lost+found fails: %v", status.Failures)
	}
}
