package repos

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"chartserve/internal/layout"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// Unmade returns the repository of a name that nobody has made yet and an upload would;
// nil: the name is none, or is somebody else's, or uploads make nothing.
func (s *Set) Unmade(name string) *Unmade {
	if !s.opts.Make || strings.Count(name, "/")+1 != s.opts.Depth || CheckName(name, s.opts.Reserved...) != nil || !s.free(name) {
		return nil
	}
	return &Unmade{set: s, name: name}
}

// Unmade is an empty repository that the first upload makes.
type Unmade struct {
	set  *Set
	name string
}

// View is that of an empty repository.
func (u *Unmade) View() *repo.View { return u.set.empty }

// Publish makes the repository, and publishes the archive there, with the errors of
// repo.Repository.Publish and repo.ErrFull. The archive is read and checked before, so that
// what is refused makes nothing.
func (u *Unmade) Publish(ctx context.Context, archive io.Reader, o repo.PublishOptions) (repo.Published, error) {
	f, err := os.CreateTemp(u.set.path, ".tmp-")
	if err != nil {
		return repo.Published{}, err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil { // a process that is killed leaves nothing
		return repo.Published{}, err
	}
	prov, err := u.check(archive, f, o)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return repo.Published{}, err
	}
	r, err := u.set.make(u.name, false)
	if err != nil {
		return repo.Published{}, err
	}
	o.Provenance = func() ([]byte, error) { return prov, nil }
	return r.Publish(ctx, f, o)
}

// check writes the archive to disk, and returns its provenance, or why it is refused
// whatever the repository holds.
func (u *Unmade) check(archive io.Reader, disk io.Writer, o repo.PublishOptions) (prov []byte, err error) {
	opts, to := u.set.opts.Repository(u.name), &noting{Writer: disk}
	info, err := pkgr.NewChecker(opts.Limits).Check(io.TeeReader(archive, to))
	if err = cmp.Or(to.err, err); err != nil { // the checker takes a full disk for a bad archive
		return nil, err
	}
	if o.Provenance != nil {
		if prov, err = o.Provenance(); err != nil {
			return nil, err
		}
	}
	if o.Check != nil {
		if err := o.Check(info.Metadata); err != nil {
			return nil, err
		}
	}
	return prov, opts.Vet(info, prov)
}

// noting remembers what kept something from being written.
type noting struct {
	io.Writer
	err error
}

func (n *noting) Write(p []byte) (int, error) {
	k, err := n.Writer.Write(p)
	n.err = cmp.Or(n.err, err)
	return k, err
}

// PublishProvenance finds no archive.
func (u *Unmade) PublishProvenance(context.Context, []byte, repo.PublishOptions) (repo.Published, error) {
	return repo.Published{}, u.none()
}

// Remove finds no version.
func (u *Unmade) Remove(context.Context, string, string) error { return u.none() }

// Content makes the repository and returns what is pushed to it, if make says so, with
// repo.ErrFull if there are too many. Otherwise the error is fs.ErrNotExist: there is nothing.
func (u *Unmade) Content(make bool) (*layout.Layout, error) {
	if !make {
		return nil, fmt.Errorf("repository %q has no content: %w", u.name, fs.ErrNotExist)
	}
	r, err := u.set.make(u.name, false)
	if err != nil {
		return nil, err
	}
	return r.Content(make)
}

func (u *Unmade) none() error {
	return fmt.Errorf("repository %q has no archive: %w", u.name, repo.ErrNoVersion)
}
