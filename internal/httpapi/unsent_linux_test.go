package httpapi

import (
	"net"
	"syscall"
	"testing"
)

// The kernel takes little that it can't send, and fits its buffer to the line by
// itself as it does for every other connection.
func TestBoundUnsent(t *testing.T) {
	ours, theirs := connection(t)
	option := func(c syscall.Conn, level, name int) (value int) {
		t.Helper()
		raw, err := c.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) }); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	if got := option(ours.Conn.(syscall.Conn), syscall.IPPROTO_TCP, notSentLowat); got != unsent {
		t.Errorf("%d bytes may wait, want %d", got, unsent)
	}
	got, want := option(ours.Conn.(syscall.Conn), syscall.SOL_SOCKET, syscall.SO_SNDBUF), option(theirs.(*net.TCPConn), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	if got < want {
		t.Errorf("a send buffer of %d bytes, want %d as of any connection", got, want)
	}
}
