package repo

import (
	"sync"

	"chartserve/internal/store"
)

// shortage remembers that a pass has met a shortage of the moment, such as of file
// descriptors. It says nothing of the charts and archives that could not be looked at:
// the pass ends, what is served stays, and all is looked at again soon. Clients can cause
// one, so it is never a reason against a chart or an archive. Its methods are safe for
// concurrent use.
type shortage struct {
	mu  sync.Mutex
	err error
}

// note reports whether err is a shortage of the moment, and remembers the first.
func (s *shortage) note(err error) bool {
	if !store.Passing(err) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return true
}

// met returns the first shortage since it was called last; nil: there was none.
func (s *shortage) met() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return err
}
