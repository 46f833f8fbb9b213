package access

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What htpasswd of Apache 2.4 makes of the password.
const (
	password = "s3cret-word"

	byBcrypt = "$2y$05$TM3Z/zHXCAvONTM8NxfkAeoZvM95QGkvmdX6wQVYvQRu7b8Xe3lRC"
	byMD5    = "$apr1$fAP5tV22$QksbaExQvZPUgA7hsj61M1"
	bySHA1   = "{SHA}E33aJLGNgbOcaJ5YUf7xO8uN9Ig="
	bySHA256 = "$5$Zvt0rAwFnFBHzdZp$u.chWYh3kIRYSrWvEZUVoVVYdfDmN6aRQdjA5fP6xN3"
	bySHA512 = "$6$OB.nzbK5dLKdZ2wa$aVmiAbrf5mhUHoFIac.S9xYfceLiouTpsHcRDu1xAGPgGV9wLpVYh1Pjk5JR3h7Ff8zJg8yXXIT0.vz/elOh8."
	byCrypt  = "nFBHzdZpu.chW"
)

// write puts a file below dir and returns its path.
func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newGuard(t testing.TB, o Options) *Guard {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// guardOf makes a Guard of an access file, with htpasswd and tokens beside it.
func guardOf(t testing.TB, access string, files map[string]string) *Guard {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, dir, name, content)
	}
	return newGuard(t, Options{File: write(t, dir, "access.yaml", access)})
}

func basic(user, password string) []string {
	return []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// connection is one whose client certificate was verified.
func connection(c *x509.Certificate) *tls.ConnectionState {
	return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}, VerifiedChains: [][]*x509.Certificate{{c}}}
}

func certificateOf(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
