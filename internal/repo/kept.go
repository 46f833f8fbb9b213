package repo

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/index"
)

// Every archive has an address by its content, by-digest/SHA256/NAME-VERSION.tgz,
// which never means other bytes. While it is the current archive of its name,
// the address leads to that file; an archive that is replaced is kept there for
// Options.KeepReplaced, so that a client with the last index in hand still gets
// what that promised. With Options.DigestURLs the index points to these
// addresses, and each archive is linked there, for hosts that serve the folder
// as it is.
const keptName = "by-digest"

// keptPath is the address of an archive by its content.
func keptPath(digest, name string) string { return path.Join(keptName, digest, path.Base(name)) }

// kept are the archives in by-digest that are not current any more, and since
// when. Each Snapshot shares the map; a change makes a new one.
type kept map[string]keptFile

type keptFile struct {
	file *File
	at   time.Time
}

// address finds a file by its content address.
func (s *Snapshot) address(name string) (*File, bool) {
	digest, base, ok := strings.Cut(strings.TrimPrefix(name, keptName+"/"), "/")
	if !ok {
		return nil, false
	}
	if f, ok := s.kept[name]; ok {
		return f.file, true
	}
	f, ok := s.files.get(base)
	archive, _ := s.files.get(strings.TrimSuffix(base, ".prov"))
	if !ok || archive == nil || archive.ETag != `"`+digest+`"` {
		return nil, false
	}
	at := *f
	at.Name, at.Immutable = name, true
	return &at, true
}

// link enters the file at path, and its provenance, under its content address.
func (r *Repository) link(file, as, digest string) error {
	to := keptPath(digest, as)
	if err := r.folder.mkdirAll(path.Dir(to)); err != nil {
		return &folderError{err}
	}
	for _, suffix := range []string{"", ".prov"} {
		err := r.folder.link(file+suffix, to+suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return &folderError{err}
		}
	}
	return nil
}

// keep links an archive that is about to be replaced or removed, so that its
// content address stays good for a while.
func (r *Repository) keep(a *archive) error {
	if r.opts.KeepReplaced <= 0 || a == nil || a.entry == nil {
		return nil
	}
	if fi, err := r.folder.root.Stat(a.path); err != nil || fileid.StampOf(fi) != a.stamp {
		return nil // it is not there any more
	}
	now := r.opts.Now()
	dir := path.Join(keptName, a.entry.Digest)
	if err := r.link(a.path, a.path, a.entry.Digest); err != nil {
		_ = r.enterKept(dir, now) // what was linked is removed in time
		return err
	}
	if err := r.folder.chtimes(dir, now); err != nil {
		return &folderError{err}
	}
	return r.enterKept(dir, now)
}

// enterKept notes the files of one folder in by-digest as replaced.
func (r *Repository) enterKept(dir string, at time.Time) error {
	d, err := r.folder.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	infos, err := d.Readdir(-1)
	if err != nil {
		return err
	}
	next := maps.Clone(r.kept)
	if next == nil {
		next = kept{}
	}
	for _, fi := range infos {
		name := path.Join(dir, fi.Name())
		next[name] = keptFile{at: at, file: &File{
			Name: name, Path: name, Archive: isArchiveName(name), Immutable: true, Size: fi.Size(), ModTime: fileid.StampOf(fi).Time(),
			ETag: `"` + path.Base(dir) + strings.TrimPrefix(path.Ext(name), ".tgz") + `"`,
		}}
	}
	r.kept = next
	return nil
}

// loadKept takes over what an earlier run kept.
func (r *Repository) loadKept() {
	d, err := r.folder.root.Open(keptName)
	if err != nil {
		return
	}
	defer d.Close()
	infos, err := d.Readdir(-1)
	if err != nil {
		return
	}
	for _, fi := range infos {
		_ = r.enterKept(path.Join(keptName, fi.Name()), fi.ModTime()) // unreadable: not served
	}
}

// sweepKept removes what was replaced longer ago than it is kept. Addresses of
// current archives are no longer (or not) among the kept.
func (r *Repository) sweepKept() {
	now, next := r.opts.Now(), kept{}
	for name, k := range r.kept {
		digest := path.Base(path.Dir(name))
		current := r.stored.byPath[strings.TrimSuffix(path.Base(name), ".prov")]
		switch {
		case current != nil && current.entry != nil && current.entry.Digest == digest:
			if !r.opts.DigestURLs && !r.removeKept(name) {
				next[name] = k
			}
		case now.Sub(k.at) > r.opts.KeepReplaced:
			if !r.removeKept(name) {
				next[name] = k
			}
		default:
			next[name] = k
		}
	}
	r.kept = next
}

// removeKept reports whether the file is gone; else it is tried again.
func (r *Repository) removeKept(name string) bool {
	err := r.folder.remove(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.opts.Logger.Warn("a replaced archive could not be removed", "file", name, "error", err)
		return false
	}
	_ = r.folder.remove(path.Dir(name)) // fails while more is in it
	return true
}

// address is the URL of an archive in the index.
func (r *Repository) address(name, digest string) string {
	if r.opts.DigestURLs {
		name = keptPath(digest, name)
	}
	return index.FileURL(r.opts.URL, name)
}

// linkAll enters the archives of all names that changed under their content
// addresses, where the index points there.
func (r *Repository) linkAll() error {
	if !r.opts.DigestURLs {
		return nil
	}
	for name := range r.dirty {
		for _, a := range r.stored.byName[name] {
			if err := r.link(a.path, a.path, a.entry.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}
