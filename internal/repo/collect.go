package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/layout"
	"chartserve/internal/store"
)

// maxIndexFile bounds an index.yaml that is read back, in bytes.
const maxIndexFile = 1 << 30

// firstCollection is how long a start has the disk for itself.
const firstCollection = time.Minute

// collectHourly removes what was pushed and nobody refers to, soon after the start and then
// once an hour, until ctx ends.
func (r *Repository) collectHourly(ctx context.Context) {
	select {
	case <-r.ready: // else the View has not all archives
	case <-ctx.Done():
		return
	}
	for wait := firstCollection; ; wait = layout.DefaultGrace {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			r.collect(ctx)
		}
	}
}

// collect is one collection. What goes wrong is tried again by the next.
func (r *Repository) collect(ctx context.Context) {
	l, err := r.Content(false)
	var done layout.Collected
	if err == nil {
		done, err = l.Collect(ctx, layout.CollectOptions{Void: func(archive string) bool {
			_, ok := r.View().Blob(archive)
			return !ok
		}})
	}
	if err != nil && ctx.Err() == nil {
		r.opts.Logger.Warn("what nobody refers to could not all be removed; it is tried again in an hour", "error", err)
	}
	if done != (layout.Collected{}) {
		r.opts.Logger.Info("what was pushed and nobody refers to was removed", "manifests", done.Manifests, "blobs", done.Blobs, "uploads", done.Uploads, "bytes", done.Bytes)
	}
}

// CollectFolder removes what was pushed to the folder at path and nobody refers to, where no
// process has the folder: else the error is store.ErrLocked. Archives are those that index.yaml
// lists, and those that are kept under their digests. The folder must be there.
func CollectFolder(ctx context.Context, path string, c layout.CollectOptions, o Options) (layout.Collected, error) {
	o, _, err := o.check()
	if err != nil {
		return layout.Collected{}, err
	}
	s, err := store.Open(path, o.store())
	if err != nil {
		return layout.Collected{}, err
	}
	defer s.Close()
	archives, err := archivesOf(s)
	if err != nil {
		return layout.Collected{}, err
	}
	l, err := layout.Open(s.Path(), o.layout())
	if err != nil {
		return layout.Collected{}, err
	}
	defer l.Close()
	c.Alone = true
	if archives != nil {
		c.Void = func(archive string) bool { return !archives[archive] }
	}
	return l.Collect(ctx, c)
}

// archivesOf are the digests of the archives that a folder has, by its index and beside it;
// nil: it has no index.
func archivesOf(s *store.Store) (map[string]bool, error) {
	data, err := s.ReadFile(store.IndexName, maxIndexFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := index.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (chartserve build makes it anew)", store.IndexName, err)
	}
	all := map[string]bool{}
	for _, e := range f.Entries {
		all[e.Digest] = true
	}
	if err := s.LoadReplaced(); err != nil {
		return nil, err
	}
	for address := range s.Replaced() {
		digest, _, _ := store.SplitAddress(address)
		all[digest] = true
	}
	return all, addUnlisted(s, all)
}

// addUnlisted adds archives that the next start may list: a process that was killed before its
// commit leaves them. They are not much older than the index.
func addUnlisted(s *store.Store, all map[string]bool) error {
	fi, err := s.Stat(store.IndexName)
	if err != nil {
		return err
	}
	since := fi.ModTime().Add(-layout.DefaultGrace)
	return s.EachIn(".", func(fi fs.FileInfo) error {
		if !fi.Mode().IsRegular() || !isArchiveName(fi.Name()) || fi.ModTime().Before(since) {
			return nil
		}
		f, err := s.Open(fi.Name())
		if err != nil {
			return err
		}
		defer f.Close()
		digest, _, err := chart.DigestOf(f)
		all[digest] = true
		return err
	})
}
