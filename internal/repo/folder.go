package repo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/provenance"
	"chartserve/internal/store"
)

// folder is what is known of the repository folder: its archives and the other files
// that are served. The owner's goroutine changes it.
type folder struct {
	opts     *Options
	store    *store.Store
	short    *shortage
	archives *archiveSet      // those of the SOURCEs among them
	others   map[string]*File // provenance and other files, by name
	failures []Failure        // directories that can't be listed
	unread   map[string]error // other files that the system does not hand out
	index    indexFile
	served   table[*File] // all files by name
	digests  table[*File] // archives by digest
}

// indexFile is index.yaml as it was last written or found unchanged.
type indexFile struct {
	etag  string
	stamp fileid.Stamp
}

func newFolder(o *Options, s *store.Store, short *shortage, archives *archiveSet) *folder {
	return &folder{opts: o, store: s, short: short, archives: archives, others: map[string]*File{}, unread: map[string]error{}}
}

// shown is how messages name a file in the folder: as the folder was named.
func (f *folder) shown(name string) string { return filepath.Join(f.store.Name(), name) }

// path is the absolute path of a file in the folder.
func (f *folder) path(name string) string { return filepath.Join(f.store.Path(), name) }

// put enters an archive, in place of what had its path.
func (f *folder) put(a *archive) {
	f.drop(a.path)
	f.archives.put(a)
	if a.entry != nil {
		f.serve(a)
	}
}

// serve makes a good archive one that can be served, if it is in the folder. Those that
// the state knows are served once they were seen.
func (f *folder) serve(a *archive) {
	if !a.stored() {
		return
	}
	if a.file == nil {
		a.file = &File{
			Name: a.path, Path: a.path, Archive: true, Size: a.stamp.Size, ModTime: a.stamp.Time(),
			ETag: `"` + a.entry.Digest + `"`,
		}
	}
	f.served.put(a.path, a.file)
	f.digests.put(a.entry.Digest, a.file)
}

// drop forgets an archive, or another file.
func (f *folder) drop(path string) {
	f.served.remove(path)
	delete(f.others, path)
	delete(f.unread, path)
	a := f.archives.remove(path)
	if a == nil || a.file == nil {
		return
	}
	f.digests.remove(a.entry.Digest)
	for _, b := range f.archives.byName[a.entry.Name] { // a copy under another name
		if b.entry.Digest == a.entry.Digest && b.file != nil {
			f.digests.put(b.entry.Digest, b.file)
		}
	}
}

// below returns the names of the known files below a directory.
func (f *folder) below(dir string) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(f.others)), maps.Keys(f.archives.byPath))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, dir+"/") })
}

// isCurrent reports whether an archive by that name and with that digest is there.
func (f *folder) isCurrent(name, digest string) bool {
	a := f.archives.byPath[name]
	return a != nil && a.entry != nil && a.entry.Digest == digest
}

// listAll adds all files of a whole listing to w, and forgets those that are gone.
func (f *folder) listAll(w *work, files []store.Found) {
	seen := make(map[string]bool, len(files))
	w.archives = slices.Grow(w.archives, len(files))
	f.failures = nil
	for _, found := range files {
		if found.Err != nil {
			f.keepUnreadable(w, found, seen)
			continue
		}
		seen[found.Name] = true
		f.add(w, found.Name)
	}
	for name, a := range f.archives.byPath {
		if a.stored() && !seen[name] {
			f.drop(name)
		}
	}
	for name := range f.others {
		if !seen[name] {
			f.drop(name)
		}
	}
	maps.DeleteFunc(f.unread, func(name string, _ error) bool { return !seen[name] })
	if !seen[store.IndexName] {
		f.index = indexFile{}
	}
}

// keepUnreadable treats archives below a directory that can't be listed as still
// present, so that they stay published; those that only the state knows are looked at
// one by one. A directory that may not be listed and held nothing of ours is someone
// else's affair.
func (f *folder) keepUnreadable(w *work, dir store.Found, seen map[string]bool) {
	f.short.note(dir.Err)
	known := f.below(dir.Name)
	for _, name := range known {
		seen[name] = true
		if a := f.archives.byPath[name]; a != nil && a.file == nil {
			f.add(w, name)
		}
	}
	if len(known) > 0 || !errors.Is(dir.Err, fs.ErrPermission) {
		w.forgot = true
		f.failures = append(f.failures, Failure{
			Path: f.shown(dir.Name), Reason: fmt.Sprintf("directory can't be read: %v (make it readable, or take it away)", unnamed(dir.Err)),
		})
	}
}

// lookAt adds what happened at a path in the folder to w. What is as it is known, such
// as what a pass itself has written, needs no look.
func (f *folder) lookAt(w *work, path string, onDir func(string)) {
	name, err := filepath.Rel(f.store.Path(), path)
	if err != nil || name == "." || isHidden(filepath.Base(path)) || strings.HasPrefix(name, ".") || store.IsAddress(name) {
		return
	}
	name = filepath.ToSlash(name)
	failures := len(f.failures)
	f.failures = slices.DeleteFunc(f.failures, func(x Failure) bool { return within(f.shown(name), x.Path) })
	w.forgot = w.forgot || len(f.failures) != failures
	fi, err := os.Lstat(path)
	switch {
	case err == nil && (f.store.IsPage(name) || fi.IsDir() && f.store.IsApart(name)):
	case err == nil && fi.IsDir():
		files, _ := f.store.List(name, onDir) // its error is only of the whole folder
		for _, found := range files {
			if found.Err != nil {
				f.keepUnreadable(w, found, map[string]bool{})
			} else {
				f.add(w, found.Name)
			}
		}
	case errors.Is(err, fs.ErrNotExist) && f.archives.byPath[name] == nil && f.others[name] == nil && name != store.IndexName:
		for _, below := range f.below(name) { // it was a directory
			f.drop(below)
			w.forgot = true
		}
	case err != nil || !f.unchanged(name, fi):
		f.add(w, name)
		if a := f.archives.byPath[strings.TrimSuffix(name, ".prov")]; a != nil && a.path != name && a.entry == nil {
			w.archives = append(w.archives, a) // its provenance may be what it lacked
		}
	}
}

// unchanged reports whether a file is what is known of it.
func (f *folder) unchanged(name string, fi fs.FileInfo) bool {
	stamp := fileid.StampOf(fi)
	switch a, o := f.archives.byPath[name], f.others[name]; {
	case name == store.IndexName:
		return f.index.stamp == stamp
	case a != nil:
		return a.file != nil && a.known(stamp)
	case o != nil:
		return f.otherKnown(o, fi)
	}
	return false
}

func (f *folder) add(w *work, name string) {
	if !isArchiveName(name) {
		w.others = append(w.others, name)
		return
	}
	a := f.archives.byPath[name]
	if a == nil {
		a = &archive{path: name, display: f.shown(name)}
	}
	w.archives = append(w.archives, a)
}

// lookAtOther looks at a file that is no archive: provenance beside one, index.yaml, or
// a plain file at the top such as artifacthub-repo.yml. The error is why it can't be read;
// it is not served then.
func (f *folder) lookAtOther(name string) error {
	if name == store.IndexName {
		if fi, err := f.store.Stat(name); err != nil || fileid.StampOf(fi) != f.index.stamp {
			f.index = indexFile{}
		}
		return nil
	}
	if !strings.HasSuffix(name, ".tgz.prov") && strings.Contains(name, "/") || name == "index.json" {
		return nil
	}
	file, err := f.readOther(name)
	var unread syscall.Errno
	switch old := f.others[name]; {
	case err != nil:
		f.drop(name)
		if errors.As(err, &unread) && !isGone(err) {
			f.unread[name] = err
		}
	case old == nil || *old != *file:
		delete(f.unread, name)
		f.others[name] = file
		f.served.put(name, file)
	}
	return err
}

// report adds to p what is wrong with the folder's own files.
func (f *folder) report(p *plan) {
	for _, name := range slices.Sorted(maps.Keys(f.unread)) {
		err := unnamed(f.unread[name])
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w (make it readable, or take it away)", err)
		} else {
			err = advise(err)
		}
		p.warnings = append(p.warnings, Warning{Path: f.shown(name), Message: fmt.Sprintf("it can't be read, and is not served: %v", err)})
	}
}

// maxOther bounds what is served beside archives; it is hashed when noticed.
const maxOther = 64 << 20

func (f *folder) readOther(name string) (*File, error) {
	fi, err := f.store.Stat(name)
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxOther {
		return nil, fs.ErrInvalid
	}
	if old := f.others[name]; old != nil && f.otherKnown(old, fi) {
		return old, nil
	}
	file, err := f.store.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h, head := sha256.New(), &bytes.Buffer{}
	src := io.TeeReader(io.LimitReader(file, maxOther), h)
	if strings.HasSuffix(name, ".tgz.prov") {
		_, err = io.CopyN(head, src, provenance.MaxSize)
	}
	if err == nil || errors.Is(err, io.EOF) {
		_, err = io.Copy(io.Discard, src)
	}
	if err != nil {
		return nil, err
	}
	return &File{
		Name: name, Path: filepath.FromSlash(name), Size: fi.Size(), ModTime: fileid.StampOf(fi).Time(),
		ETag: `"` + hex.EncodeToString(h.Sum(nil)) + `"`, signs: signs(head.Bytes(), name),
	}, nil
}

// signs returns the digest that a provenance gives of the archive beside it; empty: none.
func signs(data []byte, name string) string {
	s, err := provenance.Parse(data)
	if err != nil {
		return ""
	}
	digest, _ := strings.CutPrefix(s.Files[path.Base(strings.TrimSuffix(name, ".prov"))], "sha256:")
	return digest
}

// hasProvenance reports whether the provenance beside the archive at path is of an archive
// with that digest.
func (f *folder) hasProvenance(path, digest string) bool {
	have := f.others[path+".prov"]
	return have != nil && have.signs == digest
}

func (f *folder) otherKnown(o *File, fi fs.FileInfo) bool {
	at := fileid.StampOf(fi).Time()
	return o.Size == fi.Size() && o.ModTime.Equal(at) && fileid.Settled(at, f.opts.Now())
}

// chart chooses the archive of each version of a chart name: the one under its archive
// name, else the first in path order. live are those that have a source. It
// returns the chart as it is published and as the index takes it.
func (f *folder) chart(name string, live map[string]string) (*Chart, index.Chart) {
	chosen := map[string]*archive{}
	for _, a := range f.archives.byName[name] {
		if first := chosen[a.entry.Version]; a.stored() && (first == nil || a.path == a.ident().archiveName()) {
			chosen[a.entry.Version] = a
		}
	}
	c := index.Chart{Name: name, Live: map[string]bool{}}
	for version, a := range chosen {
		c.Entries = append(c.Entries, a.entry)
		c.Live[version] = live[version] != ""
	}
	c.Sort()
	out := &Chart{Name: name, Versions: make([]*Version, len(c.Entries))}
	for i, e := range c.Entries {
		out.Versions[i] = &Version{Entry: e, Archive: chosen[e.Version].file, Live: c.Live[e.Version], source: live[e.Version]}
	}
	return out, c
}

// maxIndex bounds an index.yaml of someone else's, in bytes.
const maxIndex = 1 << 30

// foreignIndex returns the entries of an index.yaml that someone else wrote; none where
// there is no such file.
func (f *folder) foreignIndex() ([]*index.Entry, error) {
	fi, err := f.store.Stat(store.IndexName)
	if errors.Is(err, fs.ErrNotExist) || err == nil && f.index.stamp == fileid.StampOf(fi) {
		return nil, nil
	}
	data, err := f.store.ReadFile(store.IndexName, maxIndex)
	if err != nil {
		return nil, err
	}
	old, err := index.Decode(data)
	if err != nil {
		return nil, err
	}
	return old.Entries, nil
}
