package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onSocket is a client whose connections all go to the unix socket at path.
func onSocket(t *testing.T, path string) *http.Client {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func wantStatus(t *testing.T, client *http.Client, url string, want int) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("%s: got %s, want %d", url, resp.Status, want)
	}
}

// A unix socket is for the user and the group of the server, speaks HTTP beside HTTPS, and
// goes with the server. One that was left behind is in nobody's way.
func TestServeOnUnixSocket(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	cert, key := ca.write(t, t.TempDir())
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	s := startServer(t, dir, "--address", "unix:"+path, "--tls-cert", cert, "--tls-key", key, dir)
	if !strings.HasPrefix(s.base, "https://localhost:") {
		t.Errorf("the repository is at %s", s.base)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("the socket is %v, %v", fi.Mode(), err)
	}
	wantStatus(t, onSocket(t, path), "http://localhost/charts/index.yaml", http.StatusOK)
	wantStatus(t, ca.client(t), s.base+"/index.yaml", http.StatusOK)
	s.stop()
	s.wait(t)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if out := s.stdout.String(); !strings.Contains(out, "\nunix:"+path+"\n") {
		t.Errorf("it says %q", out)
	}
}
