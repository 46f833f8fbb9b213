package unixtest

import (
	"errors"
	"time"
)

// Fifo returns [errors.ErrUnsupported].
func Fifo(string) error { return errors.ErrUnsupported }

// Device returns [errors.ErrUnsupported].
func Device(string) error { return errors.ErrUnsupported }

// Umask does nothing.
func Umask(int) (restore func()) { return func() {} }

// CPUTime returns 0.
func CPUTime() time.Duration { return 0 }

// FewFiles returns [errors.ErrUnsupported].
func FewFiles() (restore func() error, err error) { return nil, errors.ErrUnsupported }
