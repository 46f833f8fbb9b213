package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// badNetwork is between a client and a server. Of the requests that write it spoils the
// first few.
type badNetwork struct {
	addr, to string
	// keep is how much of such a request is let through; negative: all of it, and the
	// answer is lost.
	keep int

	mu      sync.Mutex
	spoil   int
	clients []net.Conn
}

func newBadNetwork(t *testing.T, to string, spoil, keep int) *badNetwork {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &badNetwork{addr: l.Addr().String(), to: to, keep: keep, spoil: spoil}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); n.end(); all.Wait() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			n.clients = append(n.clients, client)
			n.mu.Unlock()
			all.Go(func() { n.carry(client.(*net.TCPConn)) })
		}
	})
	return n
}

// end closes what clients leave open.
func (n *badNetwork) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.clients {
		c.Close()
	}
}

// spoils reports whether data begins a request that is to be spoilt.
func (n *badNetwork) spoils(data []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !bytes.HasPrefix(data, []byte("POST ")) && !bytes.HasPrefix(data, []byte("DELETE ")) || n.spoil == 0 {
		return false
	}
	n.spoil--
	return true
}

func (n *badNetwork) carry(client *net.TCPConn) {
	defer client.Close()
	server, err := net.Dial("tcp", n.to)
	if err != nil {
		return
	}
	defer server.Close()
	spoilt := make(chan struct{})
	go func() { // the answers
		buffer := make([]byte, 32<<10)
		for {
			got, err := server.Read(buffer)
			select {
			case <-spoilt:
				if bytes.Contains(buffer[:got], []byte(" 100 Continue")) {
					break
				}
				client.Close() // the answer is lost
				return
			default:
			}
			if _, werr := client.Write(buffer[:got]); err != nil || werr != nil {
				client.Close()
				return
			}
		}
	}()
	buffer, left := make([]byte, 32<<10), -1
	for {
		got, err := client.Read(buffer)
		if err != nil {
			return
		}
		if left < 0 && n.spoils(buffer[:got]) {
			if left = n.keep; n.keep < 0 {
				close(spoilt)
			}
		}
		if left >= 0 {
			if got = min(got, left); got == 0 {
				_ = client.SetLinger(0)
				return
			}
			left -= got
		}
		if _, err := server.Write(buffer[:got]); err != nil {
			return
		}
	}
}

// A network that cuts uploads, or loses the answers, costs time and nothing else: all is
// there once, and what push says is true.
func TestPushOverBadNetwork(t *testing.T) {
	random := make([]byte, 1<<20)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		spoil, keep int
		retries     string
		code        int
	}{
		"the head is cut":     {2, 10, "3", 0},
		"the body is cut":     {2, 600, "3", 0},
		"half of it":          {1, 500 << 10, "3", 0},
		"answers are lost":    {2, -1, "3", 0},
		"it is always cut":    {99, 300, "1", 1},
		"all answers go lost": {99, -1, "1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			charts := filepath.Join(dir, "charts")
			writeChart(t, charts, "nova", "1.0.0")
			writeFile(t, filepath.Join(charts, "nova", "files", "random"), hex.EncodeToString(random))
			users := filepath.Join(dir, "users")
			sum := sha1.Sum([]byte(secret))
			writeFile(t, users, "ann:{SHA}"+base64.StdEncoding.EncodeToString(sum[:])+"\n")
			s := startServer(t, dir, "--allow-upload", "--htpasswd", users, "--anonymous-read")
			n := newBadNetwork(t, strings.TrimPrefix(strings.TrimSuffix(s.base, "/charts"), "http://"), tt.spoil, tt.keep)
			password := filepath.Join(dir, "password")
			writeFile(t, password, secret)
			code, out, errs := call(t, "push", "--username", "ann", "--password-file", password, "--retries", tt.retries,
				"--output", "json", filepath.Join(charts, "nova"), "http://"+n.addr+"/charts")
			wantNoSecret(t, "output", out+errs)
			var got struct{ Charts []pushed }
			if err := json.Unmarshal([]byte(out), &got); err != nil || code != tt.code || len(got.Charts) != 1 {
				t.Fatalf("exit status %d, %v: %s%s", code, err, out, errs)
			}
			if want := map[int]string{0: "pushed", 1: "failed"}[tt.code]; got.Charts[0].Status != want || got.Charts[0].Compared != (code == 0) {
				t.Errorf("got %+v, want %s", got.Charts[0], want)
			}
			if tt.keep < 0 || tt.code == 0 {
				return
			}
			resp, err := http.Get(s.base + "/nova-1.0.0.tgz")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				t.Error("a part of an upload is served")
			}
		})
	}
}

// A deletion whose answer is lost is one all the same.
func TestDeleteOverBadNetwork(t *testing.T) {
	dir := t.TempDir()
	charts := filepath.Join(dir, "charts")
	writeChart(t, charts, "nova", "1.0.0")
	s := startServer(t, dir, "--allow-upload")
	if code, _, errs := call(t, "push", filepath.Join(charts, "nova"), s.base); code != exitOK {
		t.Fatal(errs)
	}
	n := newBadNetwork(t, strings.TrimPrefix(strings.TrimSuffix(s.base, "/charts"), "http://"), 1, -1)
	code, out, errs := call(t, "delete", "nova@1.0.0", "http://"+n.addr+"/charts")
	wantText(t, "stdout", out, "nova 1.0.0: deleted from")
	wantText(t, "stderr", errs, "tried again")
	if code != exitOK {
		t.Error(errs)
	}
	if code, _, _ = call(t, "delete", "nova@1.0.0", s.base); code != exitFailure {
		t.Errorf("exit status %d, want %d: it was not deleted", code, exitFailure)
	}
}

// Push logs in with a client certificate, over HTTP/2, and trusts no server that nobody
// vouches for.
func TestPushWithCertificate(t *testing.T) {
	dir, keys, ca := t.TempDir(), t.TempDir(), newAuthority(t)
	cert, key := ca.write(t, keys)
	authorities, own, ownKey := filepath.Join(keys, "ca.crt"), filepath.Join(keys, "own.crt"), filepath.Join(keys, "own.key")
	writeFile(t, authorities, ca.pem)
	certPEM, keyPEM := ca.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "ci"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	writeFile(t, own, certPEM)
	writeFile(t, ownKey, keyPEM)
	random := make([]byte, 1<<20) // more than is sent without asking
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	charts := filepath.Join(dir, "charts")
	writeChart(t, charts, "nova", "1.0.0")
	writeFile(t, filepath.Join(charts, "nova", "files", "random"), hex.EncodeToString(random))
	s := startServer(t, dir, "--allow-upload", "--anonymous-read", "--tls-cert", cert, "--tls-key", key, "--client-ca", authorities)
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a certificate": {[]string{"--ca-file", authorities, "--cert-file", own, "--key-file", ownKey}, exitOK, ""},
		"none":          {[]string{"--ca-file", authorities}, exitFailure, "status 401 Unauthorized: unauthorized"},
		"no authority":  {[]string{"--cert-file", own, "--key-file", ownKey}, exitFailure, "certificate signed by unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := call(t, append(append([]string{"push"}, tt.args...), filepath.Join(charts, "nova"), s.base)...)
			if wantText(t, "stderr", errs, tt.want); code != tt.code {
				t.Errorf("exit status %d: %s%s", code, out, errs)
			}
		})
	}
}

// Many archives go at once, within --jobs, and all are told of.
func TestPushMany(t *testing.T) {
	dir := t.TempDir()
	args := []string{"push", "--jobs", "3"}
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		writeChart(t, filepath.Join(dir, "charts"), "chart-"+string(c), "1.0.0")
		args = append(args, filepath.Join(dir, "charts", "chart-"+string(c)))
	}
	s := startServer(t, dir, "--allow-upload")
	code, out, errs := call(t, append(args, s.base)...)
	if code != exitOK || strings.Count(out, ": pushed, sha256:") != 26 {
		t.Errorf("exit status %d: %s%s", code, out, errs)
	}
}
