package httpapi

import (
	"net"
	"syscall"
)

// notSentLowat is TCP_NOTSENT_LOWAT of tcp(7), which package syscall lacks.
const notSentLowat = 25

// boundUnsent has the kernel hold at most unsent bytes that it can't send yet. What
// fails here makes answers slower, no more.
func boundUnsent(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, unsent)
	})
}
