package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Every Helm adds two repositories of one server, and each has only its own charts; one that
// an upload makes can be added before that.
func TestNamedRepositories(t *testing.T) {
	tree := t.TempDir()
	files{
		"a/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n",
		"b/heat/Chart.yaml": "apiVersion: v1\nname: heat\nversion: 1.0.0\n",
	}.write(t, tree)
	s := serve(t, tree, "--repository", "org/one=a", "--repository", "two=b", "--allow-upload", "--depth", "1")
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			c := helm(t, name)
			made := "made-" + name
			for repo, at := range map[string]string{"one": "org/one", "two": "two", "made": made} {
				c.run(t, ".", "repo", "add", repo, s.URL+"/"+at)
			}
			archive, err := os.Open(filepath.Join(s.Repo, "org/one/nova-1.0.0.tgz"))
			must(t, err)
			defer archive.Close()
			resp, err := http.Post(s.URL+"/api/"+made+"/charts", "application/gzip", archive)
			must(t, err)
			resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				t.Fatalf("the upload: %s", resp.Status)
			}
			c.run(t, ".", "repo", "update")
			for chart, there := range map[string]bool{"one/nova": true, "two/heat": true, "made/nova": true, "one/heat": false, "two/nova": false} {
				if !there {
					if r := c.try(t, t.TempDir(), "fetch", chart); r.ok() {
						t.Errorf("%s can be pulled", chart)
					}
					continue
				}
				pulled := c.pull(t, chart)
				if found, _ := filepath.Glob(filepath.Join(pulled, filepath.Base(chart)+"-1.0.0.tgz")); len(found) != 1 {
					t.Errorf("%s was not pulled", chart)
				}
			}
		})
	}
}

// What is sent as it is, byte for byte, writes nothing outside the folder, and makes nothing
// that is no name.
func TestRepositoriesOutsideTheFolder(t *testing.T) {
	above := t.TempDir()
	files{"src/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, above)
	for depth := 1; depth <= 3; depth++ {
		store := filepath.Join(above, fmt.Sprint("x/y/z/store", depth))
		s := serve(t, above, "--repo-path", store, "--allow-upload", "--depth", fmt.Sprint(depth), "src")
		body, err := os.ReadFile(filepath.Join(store, "nova-1.0.0.tgz"))
		must(t, err)
		u, err := url.Parse(s.URL)
		must(t, err)
		for _, up := range []string{"..", "%2e%2e", ".%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", "%2e", ".", "a/..", "../store1", "%c0%ae%c0%ae", "..;", ".git", "%00", "a%00b", "~", "a%0d%0ab", "x.tgz", "api", "by-digest", "con:", "a?b", "%25%32%65%25%32%65"} {
			name := strings.TrimSuffix(strings.Repeat(up+"/", depth), "/")
			for _, line := range []string{"POST /api/" + name + "/charts", "POST /charts/api/" + name + "/charts", "PUT /" + name + "/nova-1.0.0.tgz", "PUT /charts/" + name + "/nova-1.0.0.tgz", "GET /charts/" + name + "/index.yaml", "GET /api/" + name + "/charts"} {
				status := raw(t, u.Host, line+" HTTP/1.1\r\nHost: "+u.Host+"\r\nConnection: close\r\nContent-Length: "+fmt.Sprint(len(body))+"\r\n\r\n"+string(body))
				reads := strings.HasPrefix(line, "GET") && status == http.StatusOK // of ~, an empty index
				if !reads && status != http.StatusBadRequest && status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
					t.Errorf("depth %d: %s: %d", depth, line, status)
				}
			}
		}
		if _, err := os.Stat(filepath.Join(store, "nova-1.0.0.tgz")); err != nil {
			t.Error(err)
		}
	}
	out, err := exec.Command("find", above, "-name", "*.tgz").Output()
	must(t, err)
	if got := strings.Fields(string(out)); len(got) != 3 {
		t.Errorf("archives are at %q", got)
	}
}

// raw sends a request as it is, and returns the status of the answer.
func raw(t *testing.T, host, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", host)
	must(t, err)
	defer c.Close()
	_, err = io.WriteString(c, request)
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// However often the server is killed while uploads make repositories: each archive that was
// answered 201 is there after the next start, and what was not finished is in nobody's way.
func TestKilledWhileRepositoriesAreMade(t *testing.T) {
	dir := t.TempDir()
	files{"src/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, dir)
	made := serve(t, dir, "src")
	body, err := os.ReadFile(filepath.Join(made.Repo, "nova-1.0.0.tgz"))
	must(t, err)
	store, acknowledged := filepath.Join(dir, "store"), []string{}
	for round := range 12 {
		ready := filepath.Join(t.TempDir(), "ready")
		cmd := exec.Command(program(t), "serve", "--address", "localhost:0", "--ready-file", ready, "--repo-path", store, "--allow-upload", "--depth", "2", "--max-repositories", "1000", "--poll", "1h")
		cmd.Dir, cmd.Env = dir, environment(t.TempDir())
		must(t, cmd.Start())
		var base []byte
		for end := time.Now().Add(startTime); len(base) == 0; time.Sleep(5 * time.Millisecond) {
			if base, _ = os.ReadFile(ready); time.Now().After(end) {
				_ = cmd.Process.Kill()
				t.Fatal("the server does not start")
			}
		}
		at := strings.TrimSpace(string(base))
		for _, name := range acknowledged {
			resp, err := http.Get(at + "/" + name + "/nova-1.0.0.tgz")
			must(t, err)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("round %d: %s was answered 201 and is %s", round, name, resp.Status)
			}
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		for client := range 4 {
			all.Go(func() {
				for i := range 8 {
					name := fmt.Sprintf("org%d/r%d-%d", client, round, i)
					resp, err := http.Post(at+"/api/"+name+"/charts", "", bytes.NewReader(body))
					if err != nil {
						return
					}
					resp.Body.Close()
					if resp.StatusCode == http.StatusCreated {
						mu.Lock()
						acknowledged = append(acknowledged, name)
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(20+round*17) * time.Millisecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		all.Wait()
	}
	if len(acknowledged) < 20 {
		t.Errorf("only %d uploads were answered 201", len(acknowledged))
	}
	t.Logf("%d repositories in %d rounds", len(acknowledged), 12)
}
