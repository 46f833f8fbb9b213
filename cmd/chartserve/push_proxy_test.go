package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// proxy is an HTTP proxy that leads to one server, whatever host is asked for.
type proxy struct {
	*httptest.Server
	to string

	mu    sync.Mutex
	asked []string // "POST http://host/path", "CONNECT //host:port"
}

func (p *proxy) note(request ...string) (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, request...)
	return p.asked
}

func newProxy(t *testing.T, to string) *proxy {
	p := &proxy{to: to}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Host = to }}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.note(r.Method + " " + r.URL.String())
		if r.Method == http.MethodConnect {
			p.tunnel(w)
		} else {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// tunnel joins the client's connection with one to the server.
func (p *proxy) tunnel(w http.ResponseWriter) {
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		server.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
		}()
	}
}

// Push and delete reach a server that only a proxy can, by HTTP and HTTPS, and ask no proxy
// for a host of NO_PROXY.
func TestPushThroughProxy(t *testing.T) {
	keys, ca := t.TempDir(), newAuthority(t)
	authorities, cert, key := filepath.Join(keys, "ca.crt"), filepath.Join(keys, "tls.crt"), filepath.Join(keys, "tls.key")
	certPEM, keyPEM := ca.server(t, "charts.invalid")
	writeFile(t, cert, certPEM)
	writeFile(t, key, keyPEM)
	writeFile(t, authorities, ca.pem)
	for scheme, tt := range map[string]struct {
		serve, client []string
		asked         string
	}{
		"http":  {nil, nil, "POST http://charts.invalid/charts/api/charts"},
		"https": {[]string{"--tls-cert", cert, "--tls-key", key}, []string{"--ca-file", authorities}, "CONNECT //charts.invalid:443"},
	} {
		t.Run(scheme, func(t *testing.T) {
			dir := t.TempDir()
			writeChart(t, dir, "nova", "1.0.0")
			s := startServer(t, dir, append(tt.serve, "--allow-upload", "--allowed-host", "charts.invalid")...)
			at, err := url.Parse(s.base)
			check(t, err)
			p := newProxy(t, at.Host)
			call := func(none string, args ...string) (string, error) {
				cmd := exec.Command("chartserve", append(append(args, tt.client...), "--retries", "0", scheme+"://charts.invalid/charts")...) // TestMain has put it into PATH
				cmd.Env = append(os.Environ(), "HTTP_PROXY="+p.URL, "HTTPS_PROXY="+p.URL, "NO_PROXY="+none)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			chart := filepath.Join(dir, "nova")
			if out, err := call(".invalid", "push", chart); err == nil || len(p.note()) > 0 {
				t.Errorf("with NO_PROXY: %v, %s, the proxy was asked for %q", err, out, p.note())
			}
			out, err := call("", "push", chart)
			if err != nil || !strings.Contains(out, "nova 1.0.0: pushed") || !slices.Contains(p.note(), tt.asked) {
				t.Errorf("push: %v, %s, the proxy was asked for %q", err, out, p.note())
			}
			if out, err := call("", "delete", "nova@1.0.0"); err != nil || !strings.Contains(out, "nova 1.0.0: deleted") {
				t.Errorf("delete: %v, %s", err, out)
			}
		})
	}
}
