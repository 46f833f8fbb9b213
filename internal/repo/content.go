package repo

import (
	"sync"

	"chartserve/internal/layout"
)

// pushed is what was pushed to the repository, as to an OCI registry.
type pushed struct {
	mu     sync.Mutex
	layout *layout.Layout // nil before somebody asks
	closed bool
}

// Content returns what was pushed to the repository, in the folder that is there now. It is the
// Repository's, and not to be closed. The argument says that a repository that is not there is
// to be made, which this one is. The error is ErrStopped after Close.
func (r *Repository) Content(bool) (*layout.Layout, error) {
	p := &r.pushed
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, ErrStopped
	case p.layout != nil && !p.layout.Moved():
		return p.layout, nil
	}
	next, err := layout.Open(r.current.Load().Path(), r.opts.layout())
	if err != nil {
		return nil, err
	}
	if p.layout != nil {
		_ = p.layout.Close() // its folder is gone
	}
	p.layout = next
	return next, nil
}

func (p *pushed) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.layout == nil {
		return nil
	}
	return p.layout.Close()
}
