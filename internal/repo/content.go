package repo

import (
	"cmp"
	"errors"
	"sync"
	"syscall"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/store"
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

// unshare drops what was pushed with the content that an archive of the folder had, where it is
// the same file and somebody wrote another content into that. The error is a shortage of the
// moment.
func (r *Repository) unshare(was, is *archive) error {
	old := cmp.Or(was.entry, was.last)
	var unread syscall.Errno
	if old == nil || is.entry != nil && is.entry.Digest == old.Digest || errors.As(is.err, &unread) {
		return nil
	}
	l, err := r.Content(false)
	dropped := 0
	if err == nil {
		dropped, err = l.DropFile(digest.NewDigestFromEncoded(digest.SHA256, old.Digest), was.path)
	}
	log := r.opts.Logger.With("archive", was.display, "digest", old.Digest)
	if dropped > 0 {
		log.Warn("an archive was written into; what was pushed with its old content has to be pushed again (replace archives by renaming)")
	}
	if err == nil || store.Passing(err) {
		return err
	}
	log.Warn("what was pushed may have the new content of an archive that was written into (remove the digest's files below .oci)", "error", err)
	return nil
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
