//go:build !windows

package listen

import "syscall"

// restrict sets the mode of a socket before it is bound. On Linux its file gets that: nobody
// else gets in before Chmod.
func restrict(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), socketMode) })
}
