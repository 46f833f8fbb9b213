package listen

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is in the way of a socket is never removed but for a socket on which nobody
// answers; and at the end, only the own one is.
func TestUnixSocketInTheWay(t *testing.T) {
	dir := t.TempDir()
	file, live := filepath.Join(dir, "file"), filepath.Join(dir, "live")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
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
		a, err := Open(t.Context(), "--address", c.address)
		if err == nil {
			a.Close()
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
	a, err := Open(t.Context(), "--address", "unix:"+ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(live, ours); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if _, err := os.Lstat(ours); err != nil {
		t.Errorf("another's socket was removed: %v", err)
	}
}
