package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ciProject is a checkout with two charts below charts/, and the variables that a forge has.
type ciProject struct {
	dir  string
	vars map[string]string
}

// newCIProject has no published repository yet.
func newCIProject(t *testing.T) *ciProject {
	t.Helper()
	p := &ciProject{dir: t.TempDir()}
	files{
		"charts/lib/Chart.yaml":  "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
		"charts/lib/values.yaml": "a: 1\n",
	}.write(t, p.dir)
	p.raise(t, "1.0.0")
	bin, err := filepath.Abs("../../bin")
	must(t, err)
	archive, sum := releaseArchive(t)
	p.vars = map[string]string{
		"PATH": bin + ":" + os.Getenv("PATH"), "CHARTS_URL": "",
		"GET_CHARTSERVE": "file://" + archive, "GET_CHARTSERVE_SHA256": sum,
	}
	p.next(t)
	return p
}

// releaseArchive is an archive as make dist makes them, but stored, with its SHA-256.
func releaseArchive(t *testing.T) (path, sum string) {
	t.Helper()
	program, err := os.ReadFile(program(t))
	must(t, err)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	must(t, err)
	w := tar.NewWriter(z)
	must(t, w.WriteHeader(&tar.Header{Name: "chartserve_0/chartserve", Mode: 0o755, Size: int64(len(program))}))
	_, err = w.Write(program)
	must(t, errors.Join(err, w.Close(), z.Close()))
	path = filepath.Join(t.TempDir(), "chartserve.tar.gz")
	must(t, os.WriteFile(path, packed.Bytes(), 0o644))
	return path, fmt.Sprintf("%x", sha256.Sum256(packed.Bytes()))
}

// raise gives the chart web a version.
func (p *ciProject) raise(t *testing.T, version string) {
	t.Helper()
	files{"charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: " + version +
		"\ndependencies:\n- {name: lib, version: ^1, repository: 'file://../lib'}\n"}.write(t, p.dir)
}

// next is a later run of the job, on a machine with nothing but the checkout.
func (p *ciProject) next(t *testing.T) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(p.dir, "public")))
	must(t, os.RemoveAll(filepath.Join(p.dir, ".tools")))
	must(t, os.RemoveAll(filepath.Join(p.dir, "summary.md")))
	p.vars["RUNNER_TEMP"] = t.TempDir()
	must(t, os.MkdirAll(filepath.Join(p.vars["RUNNER_TEMP"], "zuul-output", "logs"), 0o755))
}

// summary is what the last run wrote for the page of the job.
func (p *ciProject) summary(t *testing.T, f forge) string {
	t.Helper()
	for _, dir := range []string{p.vars["RUNNER_TEMP"], p.dir} {
		if data, err := os.ReadFile(filepath.Join(dir, f.summary)); err == nil {
			return string(data)
		}
	}
	return "none"
}

func (p *ciProject) must(t *testing.T, f forge, job string) {
	t.Helper()
	if out, ok := f.run(t, p.dir, job, maps.Clone(p.vars)); !ok {
		t.Fatalf("%s:\n%s", job, out)
	}
}

// TestCIBuilds: what the jobs of examples/ci build is a repository with pages, which a later
// run adds to, and they fail where a chart does.
func TestCIBuilds(t *testing.T) {
	for name, f := range forges() {
		t.Run(name, func(t *testing.T) {
			p := newCIProject(t)
			public := filepath.Join(p.dir, "public")
			p.must(t, f, "build")
			site := filepath.Join(t.TempDir(), "site")
			must(t, os.CopyFS(site, os.DirFS(public)))
			at := serveOnce(t, http.FileServer(http.Dir(site)))

			p.next(t)
			p.raise(t, "1.1.0")
			p.vars["CHARTS_URL"] = at
			p.must(t, f, "build")
			if summary := p.summary(t, f); !strings.Contains(summary, "| web | 1.1.0 |") || strings.Contains(summary, "lib | 1.0.0") {
				t.Errorf("the summary: %s", summary)
			}
			if a, b := read(t, filepath.Join(public, "web-1.0.0.tgz")), read(t, filepath.Join(site, "web-1.0.0.tgz")); a != b {
				t.Error("web 1.0.0 has other bytes")
			}
			if page := read(t, filepath.Join(public, "chart", "web", "index.html")); !strings.Contains(page, "1.1.0") {
				t.Errorf("the page of web: %s", page)
			}
			h := helm(t, "helm3")
			h.run(t, ".", "repo", "add", "ci", serveOnce(t, http.FileServer(http.Dir(public))))
			if got, want := fmt.Sprint(h.search(t, "ci/")), "[{ci/lib 1.0.0 } {ci/web 1.0.0 } {ci/web 1.1.0 }]"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}

			p.next(t)
			p.raise(t, "one")
			if out, ok := f.run(t, p.dir, "build", p.vars); ok || !strings.Contains(out, "not a semantic version") {
				t.Errorf("a bad chart: %v\n%s", ok, out)
			}
			if summary := p.summary(t, f); !strings.Contains(summary, "not a semantic version") {
				t.Errorf("the summary of a bad chart: %s", summary)
			}
			p.vars["GET_CHARTSERVE_SHA256"] = strings.Repeat("0", 64)
			p.next(t)
			if out, ok := f.run(t, p.dir, "build", p.vars); ok || strings.Contains(out, "semantic") {
				t.Errorf("another chartserve than the one that is meant was run: %s", out)
			}
		})
	}
}

// TestCIServer: the jobs push to a server, and a later one with other bytes fails.
func TestCIServer(t *testing.T) {
	for _, name := range []string{"github", "gitlab"} {
		t.Run(name, func(t *testing.T) {
			f, p := forges()[name], newCIProject(t)
			tokens := filepath.Join(t.TempDir(), "tokens")
			made := serveTool(t, ".", "token", "create", "ci", "--rights", "read,upload", "--token-file", tokens)
			if !made.ok() {
				t.Fatal(made.all())
			}
			s := serve(t, ".", "--allow-upload", "--token-file", tokens, "--anonymous-read", "--repo-path", t.TempDir())
			p.vars["CHARTS_TOKEN"] = strings.TrimSpace(made.stdout)
			if name == "gitlab" { // a variable of type file
				p.vars["CHARTS_TOKEN"] = filepath.Join(t.TempDir(), "token")
				must(t, os.WriteFile(p.vars["CHARTS_TOKEN"], []byte(made.stdout), 0o600))
			}
			p.vars["CHARTS_URL"] = s.URL
			for _, version := range []string{"1.0.0", "1.1.0"} {
				p.next(t)
				p.raise(t, version)
				p.must(t, f, "build")
				p.vars["RUNNER_TEMP"] = t.TempDir() // of another machine
				p.must(t, f, "server")
			}
			h := helm(t, "helm3")
			h.run(t, ".", "repo", "add", "ci", s.URL)
			if got := h.search(t, "ci/"); len(got) != 3 {
				t.Errorf("the server has %v", got)
			}
			p.next(t)
			files{"charts/web/values.yaml": "b: 2\n"}.write(t, p.dir)
			p.must(t, f, "build")
			p.vars["RUNNER_TEMP"] = t.TempDir()
			if out, ok := f.run(t, p.dir, "server", maps.Clone(p.vars)); ok || !strings.Contains(out, "raise the version") {
				t.Errorf("other bytes of web 1.1.0: %v\n%s", ok, out)
			}
		})
	}
}

// publicBucket leads to an S3 server with a bucket that everybody may read, and that the user
// k with the password s may write.
func publicBucket(t *testing.T, name string) http.Handler {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	server := exec.Command(binary(t, "versitygw"), "--port", address, "--quiet", "posix", dir)
	server.Env = append(os.Environ(), "ROOT_ACCESS_KEY=k", "ROOT_SECRET_KEY=s")
	must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::%s/*"]}]}`, name)
	for deadline := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		put := exec.Command("curl", "--silent", "--show-error", "--fail-with-body", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "k:s",
			"--header", fmt.Sprintf("x-amz-content-sha256: %x", sha256.Sum256([]byte(policy))),
			"--request", "PUT", "--data", policy, "http://"+address+"/"+name+"?policy=")
		if out, err := put.CombinedOutput(); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%v: %s", err, out)
		}
	}
	// The client's signature covers the host that it asked.
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", address }}
}

// TestCIBucket: the jobs fill a bucket, archives first, then the index, then the pages; what
// is there already is not sent again.
func TestCIBucket(t *testing.T) {
	binary(t, "rclone")
	for _, step := range githubJob(t, "bucket", map[string]string{"BUCKET": "", "GET_CHARTSERVE": "", "GET_CHARTSERVE_SHA256": "", "CHARTS_URL": "", "S3_ENDPOINT": "", "S3_ACCESS_KEY_ID": "", "S3_SECRET_ACCESS_KEY": ""}) {
		for line := range strings.Lines(step.script) {
			if strings.HasPrefix(line, "rclone") && !strings.Contains(read(t, "../../docs/ci.md"), line) {
				t.Errorf("docs/ci.md does not have %s", line)
			}
		}
	}
	for _, name := range []string{"github", "gitlab"} {
		t.Run(name, func(t *testing.T) {
			f, p := forges()[name], newCIProject(t)
			gateway := publicBucket(t, "charts")
			var mu sync.Mutex
			var put []string
			var control string // Cache-Control of the index
			bucket := serveOnce(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					mu.Lock()
					name := strings.TrimPrefix(r.URL.Path, "/charts/stable/")
					if put = append(put, name); name == "index.yaml" {
						control = r.Header.Get("Cache-Control")
					}
					mu.Unlock()
				}
				gateway.ServeHTTP(w, r)
			}))
			maps.Copy(p.vars, map[string]string{"BUCKET": "charts/stable", "S3_ENDPOINT": bucket, "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s"})
			maps.Copy(p.vars, map[string]string{"RCLONE_S3_ENDPOINT": bucket, "RCLONE_S3_ACCESS_KEY_ID": "k", "RCLONE_S3_SECRET_ACCESS_KEY": "s"})
			for _, round := range []struct {
				version, published string
				archives           []string
			}{
				{"1.0.0", "", []string{"lib-1.0.0.tgz", "web-1.0.0.tgz"}},
				{"1.1.0", bucket + "/charts/stable", []string{"web-1.1.0.tgz"}},
			} {
				p.next(t)
				p.raise(t, round.version)
				p.vars["CHARTS_URL"], put = round.published, nil
				p.must(t, f, "build")
				p.must(t, f, "bucket")
				at := slices.Index(put, "index.yaml")
				if at < 0 || !slices.Equal(slices.Sorted(slices.Values(put[:at])), round.archives) || !slices.Contains(put[at:], "index.html") {
					t.Errorf("sent: got %v, want %v first, then the index, then pages", put, round.archives)
				}
				if i := slices.IndexFunc(put, func(name string) bool { return strings.HasPrefix(filepath.Base(name), ".") }); i >= 0 {
					t.Errorf("%s was sent", put[i])
				}
			}
			if control != "no-cache" {
				t.Errorf("Cache-Control of the index: %q", control)
			}
			h := helm(t, "helm3")
			h.run(t, ".", "repo", "add", "ci", bucket+"/charts/stable")
			if got := h.search(t, "ci/"); len(got) != 3 {
				t.Errorf("the bucket has %v", got)
			}
			h.pull(t, "ci/web", "--version", "1.0.0")
		})
	}
}
