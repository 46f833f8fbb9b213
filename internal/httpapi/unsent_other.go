//go:build !linux

package httpapi

import "net"

// boundUnsent leaves the kernel as it is.
func boundUnsent(*net.TCPConn) {}
