package store

import (
	"errors"
	"syscall"
)

// Passing reports whether err is a shortage of the moment: no file descriptors, no
// memory, a call that was interrupted or that would have to wait. It says nothing of
// the file that was to be looked at, which is taken for what it was, and looked at
// again soon.
func Passing(err error) bool {
	for _, short := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EINTR, syscall.EAGAIN} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}
