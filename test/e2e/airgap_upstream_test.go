package e2e

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// upstream is a repository on another server, and what mirror needs for it.
type upstream struct {
	url   string
	flags []string
}

// TestAirGapUpstreams mirrors the same charts from each kind of server: the
// archives stay as they are, the index tells the same of them, and a second run
// asks for nothing.
func TestAirGapUpstreams(t *testing.T) {
	from := stock(t)
	for name, start := range map[string]func(*testing.T, string) upstream{
		"chartserve":           chartserveUpstream,
		"Helm 2.17":            helm2Upstream,
		"nginx, absolute URLs": nginxUpstream,
		"TLS and basic auth":   secureUpstream,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := archives(t, from).write(t, t.TempDir())
			u := start(t, dir)
			answered := &atomic.Int64{}
			if strings.HasPrefix(u.url, "http:") {
				u.url = watched(t, u.url, answered)
			}
			site := filepath.Join(t.TempDir(), "site")
			args := append([]string{"mirror", u.url, "--devel", "--repo-path", site}, u.flags...)
			wantWords(t, "first run", gap(t, 0, args...), fmt.Sprintf("(%d archives)", len(indexOf(t, dir))), "0 unchanged, 0 failed")
			holds(t, site, archives(t, dir))
			want, got := indexOf(t, dir), indexOf(t, site)
			for id, e := range want {
				e.URLs = []string{e.Name + "-" + e.Version + ".tgz"}
				if at := got[id].Created; e.Created.Year() <= 1980 && at.Year() > 1980 {
					e.Created = at // what nobody dates is of when it was mirrored
				}
				want[id] = e
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("index (-upstream +mirror):\n%s", diff)
			}
			gap(t, 0, "verify", "--offline", "--repo-path", site)
			wantWords(t, "second run", gap(t, 0, args...), " 0 new", ", 1 request")
			if got := answered.Load(); got != http.StatusNotModified && got != 0 {
				t.Errorf("second run: the index came with status %d", got)
			}
		})
	}
}

// watched puts a proxy before a server, which notes the status of the last answer.
func watched(t *testing.T, address string, status *atomic.Int64) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
	proxy.ModifyResponse = func(r *http.Response) error {
		status.Store(int64(r.StatusCode))
		return nil
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s.URL + u.Path
}

func chartserveUpstream(t *testing.T, dir string) upstream {
	return upstream{url: serve(t, dir, "--repo-path", dir).URL}
}

func helm2Upstream(t *testing.T, dir string) upstream {
	path := filepath.Join(t.TempDir(), "helm2serve")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "bench", "helm2serve")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build Helm 2.17's server: %v\n%s", err, out)
	}
	// It leaves charts of apiVersion v2 out of its index.
	must(t, os.Remove(filepath.Join(dir, "modern-2.0.0.tgz")))
	address := freeAddress(t)
	listening(t, "http://"+address+"/charts/index.yaml", path, dir, address)
	return upstream{url: "http://" + address + "/charts"}
}

const nginxConf = `daemon off;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen %[1]s;
    location = /stable/index.yaml { alias %[2]s/index.yaml; }
    location /pool/ { alias %[2]s/; }
  }
}
`

// nginxUpstream has its archives in another place than its index.
func nginxUpstream(t *testing.T, dir string) upstream {
	path, err := exec.LookPath("nginx")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("SKIP: no nginx on this machine (apt-get install nginx)")
		}
	}
	address := freeAddress(t)
	helm(t, "helm3").run(t, ".", "repo", "index", dir, "--url", "http://"+address+"/pool")
	home, user := t.TempDir(), ""
	if os.Getuid() == 0 {
		user = "user root;\n" // the folder may be below one that nobody else may enter
	}
	files{"nginx.conf": user + fmt.Sprintf(nginxConf, address, dir)}.write(t, home)
	listening(t, "http://"+address+"/stable/index.yaml", path, "-p", home, "-c", filepath.Join(home, "nginx.conf"), "-e", filepath.Join(home, "error.log"))
	return upstream{url: "http://" + address + "/stable"}
}

// secureUpstream is chartserve behind a proxy with an authority of its own, which
// asks for a password.
func secureUpstream(t *testing.T, dir string) upstream {
	u, err := url.Parse(chartserveUpstream(t, dir).url)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "reader" || password != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	secrets := files{
		"ca.pem":   string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})),
		"password": "s3cret\n",
		"wrong":    "other\n",
	}.write(t, t.TempDir())
	up := upstream{url: s.URL + u.Path}
	authority := []string{"--ca-file", filepath.Join(secrets, "ca.pem")}
	up.flags = append(authority, "--username", "reader", "--password-file", filepath.Join(secrets, "password"))
	refused := []string{"mirror", up.url, "--repo-path", filepath.Join(secrets, "none")}
	wantWords(t, "without the authority", gap(t, 1, refused...), "x509")
	wantWords(t, "without a password", gap(t, 1, append(refused, authority...)...), "401")
	wantWords(t, "with another password", gap(t, 1, append(refused, append(authority, "--username", "reader", "--password-file", filepath.Join(secrets, "wrong"))...)...), "401")
	return up
}
