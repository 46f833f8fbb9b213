package layout

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"slices"
	"sync"

	"chartserve/internal/fileid"
)

// Put stores a manifest, whose bytes are data, and enters it under m.Tag, or without a tag.
// It takes the place of the entry that has the same Tag and Archive; the manifest of that
// stays without a tag. An entry of the same manifest without a tag goes, unless m has an
// Archive: nobody knows yet whether that counts.
//
// The error is ErrDigest if m.Digest is not that of data, ErrName if m.Tag is no tag,
// ErrTooLarge above MaxManifest, ErrTooMany for a tag above MaxTags.
func (l *Layout) Put(name string, m *Manifest, data []byte) error {
	switch {
	case len(data) > MaxManifest:
		return fmt.Errorf("manifest of %d bytes: %w (at most %d)", len(data), ErrTooLarge, MaxManifest)
	case m.Tag != "" && !IsTag(m.Tag):
		return fmt.Errorf("%w: tag %q", ErrName, m.Tag)
	}
	// Whatever was about to be collected stays, for an hour at least.
	for _, d := range mentioned(data) {
		if file, err := blobOf(name, d); err == nil {
			l.condemned.spare(file)
		}
	}
	if err := l.Write(name, m.Digest, data); err != nil {
		return err
	}
	entry := *m
	entry.Size = int64(len(data))
	l.condemned.spare(entryKey(name, &entry))
	return l.change(name, func(all []*Manifest) ([]*Manifest, error) { return enter(all, entry.written()) })
}

// enter is Put's change of the entries.
func enter(all []*Manifest, m *Manifest) ([]*Manifest, error) {
	next := make([]*Manifest, 0, len(all)+1)
	var untagged *Manifest
	there := false
	for _, e := range all {
		same := e.Digest == m.Digest
		switch {
		case same && e.Archive == m.Archive && e.MediaType == m.MediaType && (e.Tag == m.Tag || m.Tag == ""):
			there = true
			next = append(next, e)
		case e.Tag == m.Tag && e.Archive == m.Archive && (same || m.Tag != ""):
			untagged = e
		case same && e.Tag == "" && m.Tag != "" && m.Archive == "":
		default:
			next = append(next, e)
		}
	}
	if there && len(next) == len(all) {
		return all, nil
	}
	if !there {
		next = append(next, m)
	}
	if untagged != nil && !slices.ContainsFunc(next, untagged.isSame) {
		next = append(next, untagged.without())
	}
	if len(next) > MaxTags && m.Tag != "" {
		if n := len((&Content{Manifests: next}).Tags()); n > MaxTags {
			return nil, fmt.Errorf("%w tags: %d", ErrTooMany, n)
		}
	}
	return next, nil
}

func (m *Manifest) isSame(e *Manifest) bool { return e.Digest == m.Digest }

// without is m without its tag.
func (m Manifest) without() *Manifest {
	m.Tag = ""
	return m.written()
}

// Drop takes entries out. A manifest that has no entry any more is gone; its blobs are
// collected. It is no error if none matches.
func (l *Layout) Drop(name string, match func(*Manifest) bool) error {
	return l.change(name, func(all []*Manifest) ([]*Manifest, error) {
		if !slices.ContainsFunc(all, match) {
			return all, nil
		}
		return slices.DeleteFunc(slices.Clone(all), match), nil
	})
}

// Untag takes a tag away from each manifest that has it and is no chart. Those stay, and
// are found by their digests.
func (l *Layout) Untag(name, tag string) error {
	return l.change(name, func(all []*Manifest) ([]*Manifest, error) {
		var next, untagged []*Manifest
		for _, e := range all {
			if e.Tag == tag && tag != "" && e.Archive == "" {
				untagged = append(untagged, e)
			} else {
				next = append(next, e)
			}
		}
		if len(untagged) == 0 {
			return all, nil
		}
		for _, e := range untagged {
			if !slices.ContainsFunc(next, e.isSame) {
				next = append(next, e.without())
			}
		}
		return next, nil
	})
}

// change replaces a name's index.json by what edit makes of its entries, which edit must
// not change. Nothing is done if it returns the same slice.
func (l *Layout) change(name string, edit func([]*Manifest) ([]*Manifest, error)) error {
	folder, err := folderOf(name)
	if err != nil {
		return err
	}
	lock := l.changing(name)
	lock.Lock()
	defer lock.Unlock()
	c, err := l.Content(name)
	if err != nil {
		return err
	}
	next, err := edit(c.Manifests)
	if err != nil || len(next) == len(c.Manifests) && (len(next) == 0 || &next[0] == &c.Manifests[0]) {
		return err
	}
	data := encode(next)
	if len(data) > maxIndex {
		return fmt.Errorf("%w manifests of %s: its %s would have %d bytes", ErrTooMany, name, indexFile, len(data))
	}
	dir := path.Join(root, folder)
	if err := l.files.MkdirAll(dir); err != nil {
		return err
	}
	if _, err := l.files.Stat(path.Join(dir, layoutFile)); errors.Is(err, fs.ErrNotExist) {
		if err := l.writeFile(path.Join(dir, layoutFile), layoutText()); err != nil {
			return err
		}
	}
	if err := l.writeFile(path.Join(dir, indexFile), data); err != nil {
		return err
	}
	if fi, err := l.files.Stat(path.Join(dir, indexFile)); err == nil && fi.Size() == int64(len(data)) {
		l.keep(name, &Content{Manifests: next, stamp: fileid.ExactOf(fi)})
	}
	return l.settle(dir)
}

// stripes are the locks of the index.json of all names.
type stripes [64]sync.Mutex

// changing is held by who changes a name's index.json. It comes before sweep.
func (l *Layout) changing(name string) *sync.Mutex {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return &l.stripes[h.Sum32()%uint32(len(l.stripes))]
}
