package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// ErrForeign is returned for a file that has a page's name and that no Site wrote.
var ErrForeign = errors.New("this is no page that chartserve wrote")

// Site is a set of files beside the archives: the pages that any web server shows. It writes
// each file whole, and only where the bytes differ. A file that no Site wrote is never
// replaced or removed.
//
// A list in the folder says which files those are. It grows by a line before a file gets its
// name, so that whoever is killed leaves nothing that the next Site does not know. Only
// Finish syncs the list, and nothing syncs the files: they can be made again. An empty file
// counts as the Site's own, because a power cut leaves such files.
//
// A Site belongs to the owner of the folder. Finish or Close ends it.
type Site struct {
	store *Store
	was   siteList            // what earlier Sites wrote
	files map[string]sitePage // what this one has
	list  *os.File            // open to append to; nil until something is
}

// Site returns the Site of the folder, which has no files yet.
func (s *Store) Site() (*Site, error) {
	was, err := s.readSite()
	if err != nil {
		return nil, err
	}
	return &Site{store: s, was: was, files: map[string]sitePage{}}, nil
}

// Empty reports whether no Site has files in the folder.
func (w *Site) Empty() bool { return len(w.was.files) == 0 }

// Whole reports whether a Site was finished with that key, and all its files are as it left
// them.
func (w *Site) Whole(key string) bool {
	if w.was.key != key {
		return false
	}
	for name, p := range w.was.files {
		// No Stat: that looks at each directory on the way, and these are many files.
		if fi, err := os.Lstat(filepath.Join(w.store.path, name)); err != nil || !fi.Mode().IsRegular() || !p.is(fi) {
			return false
		}
	}
	return true
}

// Put writes the file name, a path relative to the folder, with slashes. content is not
// called where the file is there and was written with the same key: the key stands for all
// that the content is made of. An empty key is like no other.
//
// The error is content's, ErrForeign, or of the folder. The file is as it was then.
func (w *Site) Put(name, key string, content func() ([]byte, error)) error {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\n\r") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("store: %q is no name for a page", name)
	}
	old := w.was.files[name]
	there, err := w.look(name, old)
	if err != nil {
		return err
	}
	if there.key = key; key != "" && key == old.key && there.digest == old.digest {
		return w.keep(name, there)
	}
	data, err := content()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	switch {
	case there.digest == digest:
		return w.keep(name, there)
	case there.size > 0 && !old.wrote(there.digest):
		return w.foreign(name)
	}
	return w.write(name, sitePage{key: key, digest: digest}, data)
}

func (w *Site) foreign(name string) error {
	return fmt.Errorf("%s: %w (move it away, or build without pages)", path.Join(w.store.name, name), ErrForeign)
}

// look describes the file of that name. Where the list says what it holds it is not read.
func (w *Site) look(name string, old sitePage) (sitePage, error) {
	fi, err := w.store.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sitePage{}, nil
	case errors.Is(err, ErrNotRegular):
		return sitePage{}, w.foreign(name)
	case err != nil:
		return sitePage{}, err
	}
	p := sitePage{digest: old.digest, size: fi.Size(), modTime: fi.ModTime().UnixNano()}
	if old.is(fi) {
		return p, nil
	}
	f, err := w.store.Open(name)
	if err != nil {
		return p, err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	p.digest = hex.EncodeToString(sum.Sum(nil))
	return p, err
}

// keep takes a file that needs no writing.
func (w *Site) keep(name string, p sitePage) error {
	w.files[name] = p
	if old := w.was.files[name]; old.digest == p.digest {
		return nil
	}
	return w.note(name, p) // no Site had written it, and now it is known
}

func (w *Site) write(name string, p sitePage, data []byte) error {
	if err := w.store.disk.MkdirAll(path.Dir(name)); errors.Is(err, ErrNotRegular) {
		return w.foreign(path.Dir(name))
	} else if err != nil {
		return err
	}
	t, err := w.store.Stage(func(to io.Writer) error {
		_, err := to.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	defer t.Discard()
	p.size, p.modTime = t.stamp.Size, t.stamp.ModTime
	if err := w.note(name, p); err != nil {
		return err
	}
	err, t.file = t.file.Close(), nil
	if err == nil {
		err = t.rename(name)
	}
	if err == nil {
		w.files[name] = p
	}
	return err
}

// note appends a line to the list.
func (w *Site) note(name string, p sitePage) error {
	if w.list == nil {
		var err error
		if w.list, err = w.store.appendSite(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w.store.disk.Writer(w.list), p.line(name))
	return err
}

// Finish removes the files of earlier Sites that this one does not have, and keeps key for
// Whole. A file that somebody has changed since stays.
func (w *Site) Finish(key string) error {
	defer w.Close()
	for name, old := range w.was.files {
		if _, ok := w.files[name]; ok {
			continue
		}
		there, err := w.look(name, old)
		switch {
		case errors.Is(err, ErrForeign), err == nil && there.size > 0 && !old.wrote(there.digest):
			continue
		case err != nil:
			return err
		}
		if err := w.store.removeIfThere(name); err != nil {
			return err
		}
		w.removeEmpty(path.Dir(name))
	}
	if err := w.store.writeSite(siteList{key, w.files}); err != nil {
		return err
	}
	w.store.setPages(w.files)
	return nil
}

// removeEmpty removes a directory, and those above it, until one is not empty.
func (w *Site) removeEmpty(dir string) {
	for ; dir != "." && w.store.disk.Remove(dir) == nil; dir = path.Dir(dir) {
	}
}

// Close ends a Site without Finish. The files that it has written stay.
func (w *Site) Close() {
	if w.list != nil {
		_ = w.list.Close() // Finish writes the list anew
		w.list = nil
	}
}
