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
	if fi, err := os.Stat(path); err != nil || fi.Mode() != fs.ModeSocket|socketMode {
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

// What is in the way of a socket is never removed but for a socket on which nobody
// answers; and at the end, only the own one is.
func TestUnixSocketInTheWay(t *testing.T) {
	dir := t.TempDir()
	file, live := filepath.Join(dir, "file"), filepath.Join(dir, "live")
	writeFile(t, file, "precious")
	l, err := net.Listen("unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, c := range map[string]struct{ address, want string }{
		"a file":      {"unix:" + file, "no socket"},
		"in use":      {"unix:" + live, "in use"},
		"no folder":   {"unix:" + filepath.Join(dir, "none", "s"), "no such file"},
		"a long path": {"unix:" + filepath.Join(dir, strings.Repeat("x", 120)), "at most 100 bytes"},
		"no path":     {"unix:", "path of a file"},
		"everybody's": {"unix:@chartserve", "path of a file"},
	} {
		a, err := listen(t.Context(), "--address", c.address)
		if err == nil {
			a.close()
			t.Errorf("%s: got no error", name)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "--address") {
			t.Errorf("%s: got %q, want it to hold %q", name, err, c.want)
		}
	}
	if data, err := os.ReadFile(file); string(data) != "precious" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	c, err := net.Dial("unix", live)
	if err != nil {
		t.Fatalf("the socket in use: %v", err)
	}
	c.Close()

	ours := filepath.Join(dir, "ours")
	a, err := listen(t.Context(), "--address", "unix:"+ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(live, ours); err != nil {
		t.Fatal(err)
	}
	a.close()
	if _, err := os.Lstat(ours); err != nil {
		t.Errorf("another's socket was removed: %v", err)
	}
}
