package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"chartserve/internal/fileid"
)

// digestFolder holds links to archives by their content. An address in it,
// by-digest/SHA256/NAME-VERSION.tgz, never means other bytes. An archive that is
// replaced or removed is kept there for Options.KeepReplaced, so that a client that
// holds the last index still gets what that promised. The archives that ask for it
// are linked there while they are current, for hosts that serve the folder as it is.
const digestFolder = "by-digest"

// provExt is what the name of an archive's provenance ends in.
const provExt = ".prov"

// Address is where an archive, or its provenance, is found by the archive's digest.
func Address(digest, name string) string { return path.Join(digestFolder, digest, path.Base(name)) }

// SplitAddress takes an Address apart; ok is false for every other name.
func SplitAddress(address string) (digest, base string, ok bool) {
	rest, below := strings.CutPrefix(address, digestFolder+"/")
	digest, base, ok = strings.Cut(rest, "/")
	return digest, base, below && ok
}

// IsAddress reports whether a name in the folder is by-digest or lies below it.
func IsAddress(name string) bool {
	return name == digestFolder || strings.HasPrefix(name, digestFolder+"/")
}

// Replaced are the archives that can be had under their digests though they are not
// the current ones of their names, and their provenance, by address. It never changes:
// readers may hold one as long as they like, but a file of it may be gone by then.
type Replaced map[string]ReplacedFile

// ReplacedFile is one file of them.
type ReplacedFile struct {
	Size int64
	// ModTime is as a fileid.Stamp holds it.
	ModTime time.Time
	// Since is when the file was replaced or removed.
	Since time.Time
}

// Replaced returns the replaced archives as of the last Commit, Receive or Sweep.
func (s *Store) Replaced() Replaced { return s.replaced }

// LoadReplaced finds the archives that earlier owners kept. It is to be called before
// the first change, and again after an error: nothing else was lost then. Once it was
// successful it does nothing.
func (s *Store) LoadReplaced() error {
	if s.loaded {
		return nil
	}
	all, err := s.ReadDir(digestFolder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replaced archives can't be listed: %w (make %s a readable directory, or take it away)", err, digestFolder)
	}
	next := Replaced{}
	for _, fi := range all {
		if !fi.IsDir() {
			continue
		}
		if err := s.enter(next, path.Join(digestFolder, fi.Name()), fi.ModTime()); err != nil {
			return fmt.Errorf("replaced archives can't be listed: %w (make it readable, or take it away)", err)
		}
	}
	s.replaced, s.loaded = next, true
	return nil
}

// enter adds the files of one directory in by-digest to a table.
func (s *Store) enter(table Replaced, dir string, since time.Time) error {
	all, err := s.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, fi := range all {
		if fi.Mode().IsRegular() {
			table[path.Join(dir, fi.Name())] = ReplacedFile{fi.Size(), fileid.StampOf(fi).Time(), since}
		}
	}
	return nil
}

// keep links archives that are about to be replaced or removed, so that they can be
// had for a while; nil stands for none. Also after an error the table has all that was
// linked: it is removed in time.
func (s *Store) keep(all []*Current) error {
	all = slices.DeleteFunc(all, func(c *Current) bool { return c == nil })
	if s.opts.KeepReplaced <= 0 || len(all) == 0 {
		return nil
	}
	next := Replaced{}
	maps.Copy(next, s.replaced)
	defer func() { s.replaced = next }()
	for _, c := range all {
		if err := s.keepOne(next, c); err != nil {
			return err
		}
	}
	return nil
}

// keepOne links one archive and enters it into a table. The time of the directory
// remembers since when it is there.
func (s *Store) keepOne(table Replaced, c *Current) error {
	fi, err := s.Stat(c.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrNotRegular), err == nil && fileid.StampOf(fi) != c.Stamp:
		return nil // it is not there any more
	case err != nil:
		return fmt.Errorf("keeping %s: %w", c.Name, err)
	}
	now, dir := s.opts.Now(), path.Dir(Address(c.Digest, c.Name))
	err = s.linkDigest(c.Name, c.Name+provExt, c.Name, c.Digest)
	if err == nil {
		err = s.chtimes(dir, now)
	}
	return errors.Join(err, s.enter(table, dir, now))
}

// linkDigest links the files archive and prov, if that is there, under the digest
// of the archive by that name. An empty prov stands for none.
func (s *Store) linkDigest(archive, prov, name, digest string) error {
	to := Address(digest, name)
	if err := s.disk.MkdirAll(path.Dir(to)); err != nil {
		return err
	}
	if err := s.link(archive, to); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if prov == "" {
		return nil
	}
	err := s.link(prov, to+provExt)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// link gives a file a second name, and copies it where that is not allowed: Linux lets only
// those link a file of another owner who may write to it (fs.protected_hardlinks), and not
// every file system has links.
func (s *Store) link(from, to string) error {
	err := s.disk.Link(from, to)
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	f, err := s.disk.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = s.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
	return err
}

// Sweep removes what was replaced longer ago than KeepReplaced. current reports
// whether an archive by that name and with that digest is current: it is no replaced
// one then, and its link is removed unless linked says that current archives have one.
// What can't be removed is logged and tried again by the next Sweep. Nothing is synced.
func (s *Store) Sweep(current func(name, digest string) bool, linked bool) {
	now, next := s.opts.Now(), Replaced{}
	for address, f := range s.replaced {
		digest, base, _ := SplitAddress(address)
		switch {
		case current(strings.TrimSuffix(base, provExt), digest):
			if !linked && !s.removeReplaced(address) {
				next[address] = f
			}
		case now.Sub(f.Since) <= s.opts.KeepReplaced || !s.removeReplaced(address):
			next[address] = f
		}
	}
	s.replaced = next
}

// removeReplaced reports whether the file is gone.
func (s *Store) removeReplaced(address string) bool {
	err := s.disk.Remove(address)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.opts.Logger.Warn("a replaced archive could not be removed", "file", address, "error", err)
		return false
	}
	_ = s.disk.Remove(path.Dir(address)) // fails while more is in it
	return true
}
