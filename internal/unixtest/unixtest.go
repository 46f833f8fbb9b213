//go:build !windows

// Package unixtest gives tests named pipes, devices, the umask and the used processor time. On
// Windows its functions return errors.ErrUnsupported or do nothing, so that tests compile.
package unixtest

import (
	"syscall"
	"time"
)

// Fifo makes a named pipe.
func Fifo(path string) error { return syscall.Mkfifo(path, 0o644) }

// Device makes a node of the null device. Only root may.
func Device(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o644, 1<<8|3) }

// Umask sets the mask of the process until restore is called.
func Umask(mask int) (restore func()) {
	before := syscall.Umask(mask)
	return func() { syscall.Umask(before) }
}

// CPUTime returns what the process has used of processors: the machine may be busy with others.
func CPUTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it can't fail
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// FewFiles lets the process have 256 open files until restore is called.
func FewFiles() (restore func() error, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	few := limit
	few.Cur = 256
	return func() error { return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) }, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few)
}
