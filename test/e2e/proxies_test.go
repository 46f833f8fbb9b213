package e2e

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// proxied is a chartserve behind a proxy, as the files of examples/ set both up.
type proxied struct {
	*server
	// proxy is the proxy's URL, with the port that it has here.
	proxy string
	// site has the sources in src, and what the clients make.
	site string
	// ca is the file of the authority that the proxy's certificate is of.
	ca string
	// client trusts ca, comes from 127.0.0.2, and takes every name for this machine.
	client *http.Client
}

// proxies start those proxies that Debian has, with a file of examples/ in which only addresses
// and paths are replaced.
func proxies() map[string]func(t *testing.T, p *proxied, conf *strings.Replacer, address string) {
	return map[string]func(*testing.T, *proxied, *strings.Replacer, string){
		"nginx": func(t *testing.T, p *proxied, conf *strings.Replacer, _ string) {
			home := files{
				"nginx.conf":      "daemon off;\npid nginx.pid;\nevents {}\nhttp {\naccess_log off;\ninclude chartserve.conf;\n}\n",
				"chartserve.conf": conf.Replace(read(t, "../../examples/nginx/chartserve.conf")),
			}.write(t, t.TempDir())
			listeningTo(t, p.client, p.proxy+"/healthz", binary(t, "nginx"), "-p", home, "-c", filepath.Join(home, "nginx.conf"), "-e", filepath.Join(home, "error.log"))
		},
		"caddy": func(t *testing.T, p *proxied, conf *strings.Replacer, plain string) {
			_, port, _ := net.SplitHostPort(plain)
			home := files{"Caddyfile": "{\n\tadmin off\n\tskip_install_trust\n\thttp_port " + port + "\n}\n" + conf.Replace(read(t, "../../examples/caddy/Caddyfile"))}.write(t, t.TempDir())
			listeningTo(t, p.client, p.proxy+"/healthz", binary(t, "caddy"), "run", "--config", filepath.Join(home, "Caddyfile"))
		},
	}
}

// behind starts a chartserve and a proxy before it.
func behind(t *testing.T, name string) *proxied {
	t.Helper()
	if out, err := exec.Command(filepath.Join("..", "debian.sh"), name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pki, site := pki(t), files{"src/nova/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 1.0.0\n"}.write(t, t.TempDir())
	p := &proxied{site: site, ca: filepath.Join(pki, "ca.crt")}
	p.server = serve(t, site, "--trusted-proxy", "127.0.0.1", "--allowed-host", "charts.example.com", "--allow-upload", "--access-log=access.log", "--address", "127.0.0.1:0", "src")
	secure, plain := freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(secure)
	p.proxy = "https://localhost:" + port
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, p.ca)))
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	p.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, _ := net.SplitHostPort(address)
				return from.DialContext(ctx, "tcp4", "127.0.0.1:"+port)
			}},
	}
	t.Cleanup(p.client.CloseIdleConnections)
	conf := strings.NewReplacer("127.0.0.1:8879", p.host(t),
		"charts.example.com {", "charts.example.com:"+port+", "+p.proxy+" {",
		"server_name charts.example.com;", "server_name charts.example.com localhost;",
		"listen [::]", "# listen [::]", "listen 443", "listen "+secure, "listen 80", "listen "+plain,
		"/etc/ssl/charts/tls.crt", filepath.Join(pki, "server.crt"), "/etc/ssl/charts/tls.key", filepath.Join(pki, "server.key"))
	proxies()[name](t, p, conf, plain)
	resp := p.ask(t, http.MethodGet, "http://"+strings.Replace(plain, "127.0.0.1", "charts.example.com", 1)+"/charts/?q=x", nil, nil)
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusPermanentRedirect || !strings.HasPrefix(to, "https://charts.example.com") || !strings.HasSuffix(to, "/charts/?q=x") {
		t.Errorf("by HTTP: got %s to %q", resp.Status, to)
	}
	return p
}

// ask sends a request through the proxy; url may be a path.
func (p *proxied) ask(t *testing.T, method, url string, body io.Reader, header http.Header) *http.Response {
	t.Helper()
	if strings.HasPrefix(url, "/") {
		url = p.proxy + url
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	must(t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := p.client.Do(req)
	must(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestProxies: behind the proxies of examples/ all works as without them.
func TestProxies(t *testing.T) {
	for name := range proxies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := behind(t, name)
			for _, version := range helms() {
				t.Run(version, func(t *testing.T) { p.helm(t, version) })
			}
			t.Run("upload", p.upload)
			t.Run("events", p.events)
			t.Run("names", p.names)
		})
	}
}

// helm adds the repository, pulls from it, and pushes to it in each way.
func (p *proxied) helm(t *testing.T, name string) {
	h, trust := helm(t, name), []string{"--ca-file", p.ca}
	h.run(t, ".", append([]string{"repo", "add", "site", p.proxy + "/charts"}, trust...)...)
	h.pull(t, append([]string{"site/nova", "--version", "1.0.0"}, trust...)...)
	archive := pushable(t, h, p.site, "web-"+name, "1.0.0", "1")
	registry := strings.Replace(p.proxy, "https://", "oci://", 1) + "/charts"
	h.run(t, ".", append([]string{"push", archive, registry}, trust...)...)
	pulled := h.pull(t, append([]string{registry + "/web-" + name, "--version", "1.0.0"}, trust...)...)
	if read(t, only(t, pulled)) != read(t, archive) {
		t.Error("what was pulled is not what was pushed")
	}
	if name == "helm3" {
		c := pushing(t)
		c.run(t, p.site, "cm-push", filepath.Base(pushable(t, h, p.site, "db", "1.0.0", "1")), p.proxy+"/charts", "--ca-file", p.ca)
	}
}

// large is a layer of an image: 100 MB.
const large = 100_000_000

// upload pushes a large layer: it arrives while it is sent, and comes back.
func (p *proxied) upload(t *testing.T) {
	data := make([]byte, large)
	_, err := rand.Read(data)
	must(t, err)
	begun := p.ask(t, http.MethodPost, "/v2/team/image/blobs/uploads/", nil, nil)
	at := begun.Header.Get("Location")
	if begun.StatusCode != http.StatusAccepted || !strings.HasPrefix(at, "/v2/") {
		t.Fatalf("the upload begins at %q with %s", at, begun.Status)
	}
	body, w := io.Pipe()
	go func() {
		_, _ = w.Write(data[:large/2])
		arrives(t, p.Repo, large/4)
		_, err := w.Write(data[large/2:])
		w.CloseWithError(err)
	}()
	digest := digestOf(string(data))
	if resp := p.ask(t, http.MethodPut, at+"?digest="+digest, body, http.Header{"Content-Type": {"application/octet-stream"}}); resp.StatusCode != http.StatusCreated {
		t.Fatalf("the upload ends with %s", resp.Status)
	}
	back, err := io.ReadAll(p.ask(t, http.MethodGet, "/v2/team/image/blobs/"+digest, nil, nil).Body)
	if err != nil || digestOf(string(back)) != digest {
		t.Errorf("%d bytes come back, %v", len(back), err)
	}
}

// arrives waits until a file in the folder has a size.
func arrives(t *testing.T, folder string, size int64) {
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found := false
		_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				info, err := d.Info()
				found = found || err == nil && info.Size() >= size
			}
			return nil
		})
		if found {
			return
		}
	}
	t.Error("nothing arrives before all is sent: the proxy buffers")
}

// events follows the repository by HTTP/2, and is told of a change at once.
func (p *proxied) events(t *testing.T) {
	resp := p.ask(t, http.MethodGet, "/charts/events", nil, nil)
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK {
		t.Fatalf("events: %s %s", resp.Proto, resp.Status)
	}
	told := make(chan string, 100)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(buf)
			if n > 0 {
				told <- string(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	wait := func(what string) {
		t.Helper()
		for deadline := time.After(settleTime); ; {
			select {
			case text := <-told:
				if strings.Contains(text, what) {
					return
				}
			case <-deadline:
				t.Fatalf("no event with %q within %s", what, settleTime)
			}
		}
	}
	wait(`"ready":true`)
	files{"src/cinder/Chart.yaml": "apiVersion: v2\nname: cinder\nversion: 1.0.0\n"}.write(t, p.site)
	wait(fmt.Sprintf(`"archives":%d`, len(p.index(t))+1))
}

// names: the log has who asks, and not who they say they are; the name that clients ask for is
// known, with its port.
func (p *proxied) names(t *testing.T) {
	forged := http.Header{"X-Forwarded-For": {"192.0.2.66"}}
	known := strings.Replace(p.proxy, "localhost", "charts.example.com", 1)
	if resp := p.ask(t, http.MethodGet, known+"/charts/index.yaml?from=names", nil, forged); resp.StatusCode != http.StatusOK {
		t.Errorf("by the name of the example: %s", resp.Status)
	}
	logged := regexp.MustCompile(`.*from=names.*`)
	var line string
	for deadline := time.Now().Add(settleTime); line == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		line = logged.FindString(read(t, filepath.Join(p.site, "access.log")))
	}
	if !strings.Contains(line, `"127.0.0.2"`) || strings.Contains(line, "192.0.2.66") {
		t.Errorf("the log has %q, want 127.0.0.2", line)
	}
	for origin, want := range map[string]int{known: http.StatusBadRequest, strings.TrimRight(known, "0123456789"): http.StatusForbidden, "https://evil.example": http.StatusForbidden} {
		resp := p.ask(t, http.MethodPost, known+"/api/charts", strings.NewReader("no archive"), http.Header{"Origin": {origin}})
		if resp.StatusCode != want {
			t.Errorf("an upload of a page of %s: %s, want %d", origin, resp.Status, want)
		}
	}
}
