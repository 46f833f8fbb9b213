package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/internal/listen"
	"chartserve/internal/reload"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

var serial atomic.Int64

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{cert: &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test"}}}
	var keyPEM string
	a.pem, keyPEM = a.sign(t, a.cert)
	block, _ := pem.Decode([]byte(keyPEM))
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	a.key = key
	return a
}

// sign returns a certificate and its key in PEM; without a key of its own, a signs itself.
func (a *authority) sign(t *testing.T, cert *x509.Certificate) (certPEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert.SerialNumber = big.NewInt(serial.Add(1))
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer := key
	if a.key != nil {
		signer = a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
}

// server is a certificate for the names of this machine, and others.
func (a *authority) server(t *testing.T, names ...string) (certPEM, keyPEM string) {
	return a.sign(t, &x509.Certificate{DNSNames: append([]string{"localhost"}, names...),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

// write puts a new pair into dir, as tls.crt and tls.key.
func (a *authority) write(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certPEM, keyPEM := a.server(t, "charts.site")
	writeFile(t, cert, certPEM)
	writeFile(t, key, keyPEM)
	return cert, key
}

// client trusts the authority.
func (a *authority) client(t *testing.T, pairs ...tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(a.parsed(t))
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: pairs}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (a *authority) parsed(t *testing.T) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(a.pem))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// served is the serial number of the certificate that a new connection gets.
func served(t *testing.T, base string) string {
	t.Helper()
	host := strings.Split(strings.TrimPrefix(base, "https://"), "/")[0]
	c, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// becomes waits until a new connection gets another certificate than was.
func becomes(t *testing.T, base, was string) (now string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if now = served(t, base); now != was {
			return now
		}
	}
	t.Fatal("the new certificate is not served")
	return ""
}

// A new certificate is served without a request that fails and without a connection that
// ends; a bad one is not, and that is said.
func TestCertificateIsReloaded(t *testing.T) {
	dir, keys, ca := t.TempDir(), t.TempDir(), newAuthority(t)
	writeChart(t, dir, "nova", "1.0.0")
	// As Kubernetes mounts a Secret: links to links, of which one is switched.
	first := filepath.Join(keys, "first")
	ca.write(t, first)
	for link, to := range map[string]string{"..data": "first", "tls.crt": "..data/tls.crt", "tls.key": "..data/tls.key"} {
		if err := os.Symlink(to, filepath.Join(keys, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, dir, "--tls-cert", filepath.Join(keys, "tls.crt"), "--tls-key", filepath.Join(keys, "tls.key"), dir)
	if !strings.HasPrefix(s.base, "https://localhost:") {
		t.Fatalf("the repository is at %s", s.base)
	}
	var wg sync.WaitGroup
	stop, requests := make(chan struct{}), atomic.Int64{}
	for range 4 {
		client := ca.client(t)
		fresh := ca.client(t)
		fresh.Transport.(*http.Transport).DisableKeepAlives = true
		for _, client := range []*http.Client{client, fresh} {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					resp, err := client.Get(s.base + "/nova-1.0.0.tgz")
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					requests.Add(1)
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
	}
	kept := ca.client(t)
	if resp, err := kept.Get(s.base + "/index.yaml"); err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("%v, %v", resp, err)
	}
	was := served(t, s.base)

	ca.write(t, filepath.Join(keys, "second"))
	if err := os.Symlink("second", filepath.Join(keys, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(keys, "..data_tmp"), filepath.Join(keys, "..data")); err != nil {
		t.Fatal(err)
	}
	was = becomes(t, s.base, was) // within two looks

	bad, _ := ca.server(t)
	writeFile(t, filepath.Join(keys, "second", "tls.crt"), bad)
	time.Sleep(4 * reload.Every)
	if now := served(t, s.base); now != was {
		t.Error("a certificate without its key took the place of a good one")
	}
	ca.write(t, filepath.Join(keys, "second"))
	if err := hangUp(); err != nil {
		t.Fatal(err)
	}
	becomes(t, s.base, was)
	close(stop)
	wg.Wait()
	s.stop()
	s.wait(t)
	if log := s.stderr.String(); strings.Count(log, "HTTPS goes on with the certificates that it had") != 1 || !strings.Contains(log, "are no pair") {
		t.Errorf("log %s", log)
	}
	t.Logf("%d requests", requests.Load())
}

// Clients may come with a certificate of the authorities, or without one; not with
// another. Old versions of TLS are refused.
func TestClientCertificates(t *testing.T) {
	dir, keys, ca, others := t.TempDir(), t.TempDir(), newAuthority(t), newAuthority(t)
	cert, key := ca.write(t, keys)
	authorities := filepath.Join(keys, "ca.crt")
	writeFile(t, authorities, ca.pem)
	s := startServer(t, dir, "--tls-cert", cert, "--tls-key", key, "--client-ca", authorities, dir)
	pair := func(a *authority) tls.Certificate {
		p, err := tls.X509KeyPair(bytes2(a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "ci"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := ca.client(t)
	older := old.Transport.(*http.Transport)
	older.ForceAttemptHTTP2 = false // which has no TLS 1.1
	older.TLSClientConfig.MinVersion, older.TLSClientConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	stranger := ca.client(t)
	foreign := pair(others)
	stranger.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign, nil }
	for name, c := range map[string]struct {
		client *http.Client
		ok     bool
	}{
		"none": {ca.client(t), true}, "ours": {ca.client(t, pair(ca)), true}, "another's": {stranger, false}, "TLS 1.1": {old, false},
	} {
		resp, err := c.client.Get(s.base + "/index.yaml")
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a certificate's name may do is in the access file; without one its holder may do
// everything, and others nothing.
func TestCertificatesLogIn(t *testing.T) {
	dir, keys, ca := t.TempDir(), t.TempDir(), newAuthority(t)
	writeChart(t, dir, "nova", "1.0.0")
	cert, key := ca.write(t, keys)
	authorities, rules := filepath.Join(keys, "ca.crt"), filepath.Join(keys, "access.yaml")
	writeFile(t, authorities, ca.pem)
	writeFile(t, rules, "certificates: [{subject: ci}]\ngrants: [{names: [ci], rights: [read]}]\n")
	holder := func(name string) *http.Client {
		p, err := tls.X509KeyPair(bytes2(ca.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})))
		if err != nil {
			t.Fatal(err)
		}
		return ca.client(t, p)
	}
	none, ci, other := ca.client(t), holder("ci"), holder("other")
	for name, c := range map[string]struct {
		args                       []string
		nobody, ci, other, deletes int
	}{
		"alone":     {nil, 401, 200, 200, 404},
		"anonymous": {[]string{"--anonymous-read"}, 200, 200, 200, 404},
		"rules":     {[]string{"--access", rules}, 401, 200, 401, 403},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, dir, append([]string{"--allow-upload", "--tls-cert", cert, "--tls-key", key, "--client-ca", authorities, dir}, c.args...)...)
			for _, who := range []struct {
				method, path string
				client       *http.Client
				want         int
			}{
				{"GET", "/index.yaml", none, c.nobody}, {"GET", "/index.yaml", ci, c.ci}, {"GET", "/index.yaml", other, c.other},
				{"DELETE", "/api/charts/none/1.0.0", ci, c.deletes}, {"DELETE", "/api/charts/none/1.0.0", none, 401},
			} {
				req, err := http.NewRequest(who.method, s.base+who.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := who.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != who.want {
					t.Errorf("%s %s: got %d, want %d", who.method, who.path, resp.StatusCode, who.want)
				}
			}
		})
	}
}

func bytes2(a, b string) ([]byte, []byte) { return []byte(a), []byte(b) }

// Who comes by HTTP is led to HTTPS, on hosts of the certificate alone.
func TestRedirectHTTP(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	cert, key := ca.write(t, t.TempDir())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := free.Addr().String()
	free.Close()
	s := startServer(t, dir, "--tls-cert", cert, "--tls-key", key, "--redirect-http", plain, "--access-log", dir)
	port := s.base[strings.LastIndex(s.base, ":")+1:]
	port, _, _ = strings.Cut(port, "/")
	client := ca.client(t)
	for host, want := range map[string]string{"charts.site": "https://charts.site:" + port, "CHARTS.site.:80": "https://charts.site:" + port, "evil.test": "", "": "https://127.0.0.1:" + port} {
		r, err := http.NewRequest(http.MethodGet, "http://"+plain+"/charts/index.yaml?a=b", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got := resp.Header.Get("Location")
		if want != "" {
			want += "/charts/index.yaml?a=b"
		}
		if code := map[bool]int{true: http.StatusMisdirectedRequest, false: http.StatusPermanentRedirect}[want == ""]; got != want || resp.StatusCode != code {
			t.Errorf("%q: %s to %q, want %d to %q", host, resp.Status, got, code, want)
		}
	}
	s.stop()
	s.wait(t)
	if got := strings.Count(s.stderr.String(), "path=/charts/index.yaml"); got != 4 {
		t.Errorf("%d requests are in the log, want 4", got)
	}
}

func TestURLsOfHTTPS(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	certPEM, keyPEM := ca.sign(t, &x509.Certificate{DNSNames: []string{"*.example.com", "charts.example.com"}})
	writeFile(t, cert, certPEM)
	writeFile(t, key, keyPEM)
	certs, err := listen.NewCertificates(cert, key, "", newLogger(io.Discard, "text", "info"))
	if err != nil {
		t.Fatal(err)
	}
	l := &listen.Listeners{Certificates: certs, Addresses: []*listen.Address{{Path: "/run/s"}, {Port: 8443}, {Host: "a.example.com", Port: 443}}}
	if got, want := fmt.Sprint(l.BaseURLs("/charts")), "[https://charts.example.com:8443/charts https://a.example.com:443/charts unix:/run/s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := l.RemoteURL("/charts"); got != "" {
		t.Errorf("another URL for other hosts: %s", got)
	}
	for url, want := range map[string]int{"": 8443, "https://charts.example.com/x": 443, "https://charts.example.com:9/x": 9, "http://x": 8443} {
		if got := l.RedirectPort(url); got != want {
			t.Errorf("with --url %q clients are led to port %d, want %d", url, got, want)
		}
	}
}

// A session that the authorities of before have allowed is not resumed after they changed.
func TestSessionsEndWithTheirAuthorities(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	cert, key := ca.write(t, dir)
	writeFile(t, filepath.Join(dir, "ca"), ca.pem)
	certs, err := listen.NewCertificates(cert, key, filepath.Join(dir, "ca"), newLogger(io.Discard, "text", "info"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.parsed(t))
	client := &tls.Config{RootCAs: pool, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1), MaxVersion: tls.VersionTLS12}
	resumed := func() bool {
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		go tls.Server(ours, certs.Config()).Handshake()
		c := tls.Client(theirs, client)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c.ConnectionState().DidResume
	}
	if resumed() || !resumed() {
		t.Fatal("sessions are not resumed at all")
	}
	if err := certs.Source().Load(); err != nil {
		t.Fatal(err)
	}
	if resumed() {
		t.Error("a session outlives its authorities")
	}
}
