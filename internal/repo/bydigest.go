package repo

import (
	"path"
	"strings"

	"chartserve/internal/index"
	"chartserve/internal/store"
)

// byDigest finds a file by the address of its content, which is taken apart into
// the digest and the name: an archive that was replaced, or the current one.
func (s *Snapshot) byDigest(address, digest, name string) (*File, bool) {
	if f, ok := s.replaced[address]; ok {
		etag := digest + strings.TrimPrefix(path.Ext(name), ".tgz")
		return &File{
			Name: address, Path: address, Archive: isArchiveName(name), Immutable: true,
			Size: f.Size, ModTime: f.ModTime, ETag: `"` + etag + `"`,
		}, true
	}
	f, ok := s.files.get(name)
	archive, _ := s.files.get(strings.TrimSuffix(name, ".prov"))
	if !ok || archive == nil || archive.ETag != `"`+digest+`"` {
		return nil, false
	}
	at := *f
	at.Name, at.Immutable = address, true
	return &at, true
}

// address is the URL of an archive in the index. With Options.DigestURLs it names
// the archive by its content, which is linked there for hosts that serve the folder
// as it is.
func (r *Repository) address(name, digest string) string {
	if r.opts.DigestURLs {
		name = store.Address(digest, name)
	}
	return index.FileURL(r.opts.URL, name)
}

// current is the archive in the repository folder, also one that can't be read any
// more; nil if a is nil or was never good.
func (a *archive) current() *store.Current {
	switch {
	case a == nil:
		return nil
	case a.entry != nil:
		return &store.Current{Name: a.path, Digest: a.entry.Digest, Stamp: a.stamp}
	case a.lastDigest != "":
		return &store.Current{Name: a.path, Digest: a.lastDigest, Stamp: a.stamp}
	}
	return nil
}

// isCurrent reports whether an archive by that name and with that digest is in the
// repository folder.
func (r *Repository) isCurrent(name, digest string) bool {
	a := r.stored.byPath[name]
	return a != nil && a.entry != nil && a.entry.Digest == digest
}
