package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// socketMode lets the user and the group of the server connect: a proxy gets the group.
const socketMode = 0o660

// unixSocket is a listener whose file goes with it, unless another's has taken its place.
type unixSocket struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

func (s *unixSocket) Close() error {
	if fi, err := os.Lstat(s.path); err == nil && os.SameFile(fi, s.made) {
		os.Remove(s.path)
	}
	return s.UnixListener.Close()
}

// listenUnix opens the socket at path. One that a killed server left is removed first.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: restrict}
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	s := &unixSocket{UnixListener: l.(*net.UnixListener), path: path}
	s.SetUnlinkOnClose(false)
	if err := os.Chmod(path, socketMode); err != nil { // the umask had its part
		l.Close()
		return nil, err
	}
	if s.made, err = os.Lstat(path); err != nil {
		l.Close()
		return nil, err
	}
	return s, nil
}

// removeStale removes a socket that nobody answers on, and nothing else.
func removeStale(path string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("there is something at %s that is no socket: remove it, or name another path", path)
	}
	c, err := net.DialTimeout("unix", path, 2*time.Second)
	if err == nil {
		c.Close()
		return syscall.EADDRINUSE
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
