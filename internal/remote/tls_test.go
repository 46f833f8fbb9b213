package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePEM makes a certificate that signs itself, for a client.
func writePEM(t *testing.T) (certFile, keyFile string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mirror"},
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "CERTIFICATE", der), pemFile(t, "PRIVATE KEY", secret), cert
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestTLS takes a server with a private CA that asks for a client's certificate.
func TestTLS(t *testing.T) {
	certFile, keyFile, cert := writePEM(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, indexOf(good("nova", "1.0.0", "data")))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	s.TLS.ClientCAs.AddCert(cert)
	s.StartTLS()
	defer s.Close()
	caFile := pemFile(t, "CERTIFICATE", s.Certificate().Raw)

	tests := map[string]struct {
		ca, cert, key string
		want          string // error
	}{
		"all":                   {ca: caFile, cert: certFile, key: keyFile},
		"no CA":                 {cert: certFile, key: keyFile, want: "failed to verify certificate"},
		"no client certificate": {ca: caFile, want: "certificate required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := LoadTLS(tt.ca, tt.cert, tt.key)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = newClient(t, Options{TLS: config, Retries: -1}).IndexSince(t.Context(), s.URL, Validators{})
			if tt.want != "" {
				wantError(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadTLSFails(t *testing.T) {
	certFile, keyFile, _ := writePEM(t)
	for name, tt := range map[string]struct{ ca, cert, key, want string }{
		"no such CA file":  {"testdata/none", "", "", "CA file: open testdata/none"},
		"no certificate":   {keyFile, "", "", "CA file " + keyFile + ": no certificate in it"},
		"no key":           {"", certFile, "", "needs both"},
		"no certificate 2": {"", "", keyFile, "needs both"},
		"the wrong way":    {"", keyFile, certFile, "client certificate " + keyFile},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := LoadTLS(tt.ca, tt.cert, tt.key)
			if config != nil {
				t.Error("a configuration and an error")
			}
			if err == nil || len(err.Error()) == 0 {
				t.Fatal("no error")
			}
			wantError(t, err, tt.want)
		})
	}
}
