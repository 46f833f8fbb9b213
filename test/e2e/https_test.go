package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate makes a certificate and its key below dir, signed by signer or by itself.
func certificate(t *testing.T, dir, name string, cert, signer *x509.Certificate, signedBy *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	if signer == nil {
		signer, signedBy = cert, key
	}
	cert.SerialNumber, cert.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, cert, signer, &key.PublicKey, signedBy)
	must(t, err)
	secret, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	files{
		name + ".crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		name + ".key": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})),
	}.write(t, dir)
	return key
}

// pki makes an authority, and by it a server and a client, below the folder that it returns.
func pki(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ca := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	key := certificate(t, dir, "ca", ca, nil, nil)
	certificate(t, dir, "server", &x509.Certificate{DNSNames: []string{"localhost", "charts.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, key)
	certificate(t, dir, "client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ca, key)
	return dir
}

// Every Helm adds, updates and pulls by HTTPS, with a certificate of its own and without,
// and not without the authority.
func TestHTTPS(t *testing.T) {
	dir, tree := pki(t), t.TempDir()
	files{"nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, tree)
	ca := filepath.Join(dir, "ca.crt")
	own := []string{"--ca-file", ca, "--cert-file", filepath.Join(dir, "client.crt"), "--key-file", filepath.Join(dir, "client.key")}
	s := serve(t, tree, "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"), "--client-ca", ca, "--anonymous-read", tree)
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			c := helm(t, name)
			if r := c.try(t, ".", "repo", "add", "none", s.URL); r.ok() {
				t.Error("an unknown authority is trusted")
			}
			for repo, flags := range map[string][]string{"anonymous": {"--ca-file", ca}, "known": own} {
				c.run(t, ".", append([]string{"repo", "add", repo, s.URL}, flags...)...)
				c.run(t, ".", "repo", "update")
				pulled := c.pull(t, append([]string{repo + "/nova"}, flags...)...)
				if found, _ := filepath.Glob(filepath.Join(pulled, "nova-1.0.0.tgz")); len(found) != 1 {
					t.Errorf("%s: nothing was pulled", repo)
				}
			}
		})
	}
	t.Run("curl", func(t *testing.T) {
		curl, err := exec.LookPath("curl")
		if err != nil {
			t.Skip("no curl")
		}
		for flag, want := range map[string]string{"--http2": "2 200", "--http1.1": "1.1 200", "--tls-max=1.1": "0 000"} {
			args := []string{flag, "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert", ca, s.URL + "/nova-1.0.0.tgz"}
			if version, ok := strings.CutPrefix(flag, "--tls-max="); ok {
				args = append([]string{"--tls-max", version}, args[1:]...)
			}
			if r := execute(t, ".", environment(t.TempDir()), curl, args...); r.stdout != want {
				t.Errorf("curl %s: got %q, want %q", flag, r.stdout, want)
			}
		}
	})
}

// A certificate of the client's is a login, for every Helm.
func TestCertificateLogin(t *testing.T) {
	dir, tree := pki(t), t.TempDir()
	files{"nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, tree)
	ca := filepath.Join(dir, "ca.crt")
	files{"access.yaml": "certificates: [{subject: client, name: ci}]\ngrants: [{names: [ci], rights: [read]}]\n"}.write(t, dir)
	s := serve(t, tree, "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"), "--client-ca", ca,
		"--access", filepath.Join(dir, "access.yaml"), tree)
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			c := helm(t, name)
			if r := c.try(t, ".", "repo", "add", "none", s.URL, "--ca-file", ca); r.ok() || !strings.Contains(r.all(), "401") {
				t.Errorf("without a certificate: %s", r.all())
			}
			own := []string{"--ca-file", ca, "--cert-file", filepath.Join(dir, "client.crt"), "--key-file", filepath.Join(dir, "client.key")}
			c.run(t, ".", append([]string{"repo", "add", "own", s.URL}, own...)...)
			c.pull(t, append([]string{"own/nova"}, own...)...)
		})
	}
}

// curl reads from a unix socket, beside which clients by HTTP are led to HTTPS.
func TestUnixSocketAndRedirect(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	dir, tree := pki(t), t.TempDir()
	files{"nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n"}.write(t, tree)
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	plain := l.Addr().String()
	l.Close()
	serve(t, tree, "--address", "localhost:0", "--address", "unix:"+socket, "--redirect-http", plain,
		"--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"), tree)
	for name, args := range map[string][]string{
		"socket":   {"--unix-socket", socket, "http://localhost/charts/index.yaml"},
		"redirect": {"-L", "--cacert", filepath.Join(dir, "ca.crt"), "http://" + plain + "/charts/index.yaml"},
	} {
		if r := execute(t, ".", environment(t.TempDir()), curl, append([]string{"-fsS"}, args...)...); !strings.Contains(r.stdout, "nova-1.0.0.tgz") {
			t.Errorf("%s: exit %d, %s", name, r.code, r.all())
		}
	}
}
