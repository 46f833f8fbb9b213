//go:build !windows

package wholefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The umask says who may read a file, but for one that all may read.
func TestWhoMayRead(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	path := filepath.Join(t.TempDir(), "file")
	for _, c := range []struct {
		write func(path string, data []byte) error
		want  fs.FileMode
	}{{Write, 0o640}, {WriteForAll, 0o644}} {
		if err := c.write(path, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(path); err != nil || fi.Mode() != c.want {
			t.Errorf("got %v, %v, want %v", fi.Mode(), err, c.want)
		}
		os.Remove(path)
	}
}
