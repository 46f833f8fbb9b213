package repos

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/repo"
)

// Run keeps all repositories equal to their sources until ctx ends, which is no error.
// An error is repo.Repository's, of a first pass: after that one's trouble is in its Status
// and ends none. The first pass of one that is made later is its upload's affair.
func (s *Set) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	s.mu.Lock()
	s.ctx, s.running = ctx, g
	named := *s.named.Load() // one that is made from now on is run by who makes it
	s.mu.Unlock()
	g.Go(func() error { return s.root.Run(ctx) })
	all := []*repo.Repository{s.root}
	for name, r := range named {
		all = append(all, r)
		g.Go(func() error {
			if err := r.Run(ctx); err != nil {
				return fmt.Errorf("repository %q: %w", name, err)
			}
			return nil
		})
	}
	g.Go(func() error {
		for _, r := range all {
			select {
			case <-r.Ready():
			case <-ctx.Done():
				return nil
			}
		}
		close(s.ready)
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ctx = nil // so that nothing is added to g once it may be empty
		return nil
	})
	return g.Wait()
}

// Rescan has all look at everything again, and opens what was put below the folder since.
func (s *Set) Rescan() {
	s.root.Rescan()
	for _, r := range *s.named.Load() {
		r.Rescan()
	}
	for _, name := range s.found() {
		if _, err := s.make(name, true); err != nil {
			s.log.Error("a repository can't be opened", "repo", name, "error", err)
		}
	}
}

// make opens a repository and returns it once it is ready. Its folder is there, or is
// made, if there are not too many.
func (s *Set) make(name string, there bool) (*repo.Repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.Named(name); r != nil {
		return r, nil
	}
	switch {
	case s.ctx == nil:
		return nil, repo.ErrStopped
	case !s.free(name):
		return nil, fmt.Errorf("repository %q: its folder is in that of another, or has another's in it", name)
	case !there && len(*s.named.Load()) >= s.max():
		return nil, repo.ErrFull
	}
	r, err := s.open(name)
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	ctx := s.ctx
	s.running.Go(func() error {
		ended <- r.Run(ctx)
		return nil
	})
	select {
	case <-r.Ready():
	case err := <-ended:
		_ = r.Close()
		if err == nil {
			err = repo.ErrStopped
		}
		return nil, fmt.Errorf("repository %q: %w", name, err)
	}
	s.add(name, r)
	s.log.Info("a repository was opened", "repo", name)
	return r, nil
}

func (s *Set) max() int {
	if s.opts.Max > 0 {
		return s.opts.Max
	}
	return DefaultMax
}
