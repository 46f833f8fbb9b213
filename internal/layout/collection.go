package layout

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/fileid"
)

// collection is one call of Collect.
type collection struct {
	ctx  context.Context
	l    *Layout
	opts CollectOptions
	run  int
	now  time.Time
	done Collected
	gone map[fileid.ID]uint64 // in a dry run: how many names of a file would be removed
}

// name collects what a name has.
func (c *collection) name(name string) error {
	content, _, err := c.l.content(name) // others' are kept, which somebody asks for
	if err != nil {
		return err
	}
	m, err := c.l.newMarker(c.ctx, name)
	if err != nil {
		return err
	}
	void, err := c.judge(m, content.Manifests)
	if err != nil {
		return err
	}
	if err := c.drop(name, content.Manifests, void); err != nil {
		return err
	}
	if c.isPushed(name) {
		return nil
	}
	if err := c.blobs(m); err != nil || len(void) < len(content.Manifests) || c.opts.DryRun {
		return err
	}
	return c.l.removeEmpty(name)
}

// isPushed reports whether bytes come for a blob of a name. The first layers of an image may be
// there for hours before the last one is, and its manifest.
func (c *collection) isPushed(name string) bool {
	folder, err := folderOf(name)
	if err != nil || c.opts.Alone {
		return false
	}
	files, err := c.l.files.ReadDir(path.Join(uploads, folder))
	return err == nil && slices.ContainsFunc(files, func(fi fs.FileInfo) bool { return c.now.Sub(fi.ModTime()) < maxPause })
}

// judge marks what the entries use that stay, and returns the others, by their entryKey.
func (c *collection) judge(m *marker, all []*Manifest) (void map[string]bool, err error) {
	void = map[string]bool{}
	goes := func(e *Manifest) bool {
		key := entryKey(m.name, e)
		if c.due(key, m.since(e.Digest)) {
			void[key] = true
		}
		return void[key]
	}
	var stay, untagged []*Manifest
	for _, e := range all {
		switch {
		case e.Archive != "" && c.opts.Void != nil && c.opts.Void(e.Archive) && goes(e):
		case e.Tag == "" && c.opts.Untagged:
			untagged = append(untagged, e)
		default:
			stay = append(stay, e)
		}
	}
	for len(stay) > 0 {
		if err := m.mark(stay); err != nil {
			return nil, err
		}
		stay, untagged = m.reached(untagged)
	}
	for _, e := range untagged {
		if !goes(e) {
			stay = append(stay, e)
		}
	}
	return void, m.mark(stay)
}

// due reports whether something that nobody refers to goes in this collection. Its file, an
// entry's is its manifest, is there since a time.
func (c *collection) due(key string, since time.Time) bool {
	if c.opts.Alone {
		return c.now.Sub(since) >= c.opts.Grace
	}
	return c.l.condemned.due(key, c.run, c.now, c.opts.Grace)
}

// drop drops entries, but for those that were put again since they were judged.
func (c *collection) drop(name string, all []*Manifest, void map[string]bool) error {
	if len(void) == 0 {
		return nil
	}
	var stay, dropped []*Manifest
	split := func(all []*Manifest) {
		for _, e := range all {
			if key := entryKey(name, e); void[key] && (c.opts.Alone || c.l.condemned.has(key)) {
				dropped = append(dropped, e)
			} else {
				stay = append(stay, e)
			}
		}
	}
	if c.opts.DryRun {
		split(all)
	} else if err := c.l.change(name, func(all []*Manifest) ([]*Manifest, error) {
		split(all)
		return stay, nil
	}); err != nil {
		return err
	}
	for _, e := range dropped {
		c.l.condemned.spare(entryKey(name, e))
		c.done.Manifests++
		c.tell(Garbage{Kind: "manifest", Name: name, Tag: e.Tag, Digest: string(e.Digest), Size: e.Size})
	}
	return nil
}

func (c *collection) tell(g Garbage) {
	if c.opts.Removed != nil {
		c.opts.Removed(g)
	}
}

// blobs removes the blobs of a name that are not marked.
func (c *collection) blobs(m *marker) error {
	maps.DeleteFunc(m.blobs, func(_ digest.Digest, state use) bool { return state != unused })
	for _, d := range slices.Sorted(maps.Keys(m.blobs)) {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		file := blobIn(m.dir, d)
		fi, err := c.l.files.Stat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !c.due(file, fi.ModTime()) {
			continue
		}
		removed, err := c.remove(file, fi, func() bool { return c.opts.Alone || c.l.condemned.has(file) })
		if err != nil {
			return err
		}
		if removed {
			c.done.Blobs++
			c.tell(Garbage{Kind: "blob", Name: m.name, Digest: string(d), Size: fi.Size()})
		}
	}
	return nil
}

// pool removes the blobs that no name has any more.
func (c *collection) pool() error {
	return c.l.eachBlob(c.ctx, pool, func(file string, _ digest.Digest, fi fs.FileInfo) error {
		last := func() bool {
			fi, err := c.l.files.Stat(file)
			return err == nil && c.isLast(fi)
		}
		if !c.isLast(fi) {
			return nil
		}
		_, err := c.remove(file, fi, last)
		return err
	})
}

// isLast reports whether a file that fi describes has one name.
func (c *collection) isLast(fi fs.FileInfo) bool {
	return fileid.Links(fi) <= 1+c.gone[fileid.IDOf(fi)]
}

// remove removes the file of a blob as removeBlob does.
func (c *collection) remove(file string, fi fs.FileInfo, may func() bool) (removed bool, err error) {
	last := c.isLast(fi)
	if c.opts.DryRun {
		c.gone[fileid.IDOf(fi)]++
	} else if removed, err := c.l.removeBlob(file, may); !removed || err != nil {
		return false, err
	}
	if last {
		c.done.Bytes += fi.Size()
	}
	return true, nil
}

// eachBlob calls do for the blobs below a directory of them, until ctx ends. Other files are
// passed over.
func (l *Layout) eachBlob(ctx context.Context, dir string, do func(file string, d digest.Digest, fi fs.FileInfo) error) error {
	for _, alg := range algorithms() {
		in := path.Join(dir, alg.String())
		err := l.files.EachIn(in, func(fi fs.FileInfo) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			d := digest.NewDigestFromEncoded(alg, fi.Name())
			if !fi.Mode().IsRegular() || !IsDigest(d) {
				return nil
			}
			return do(path.Join(in, fi.Name()), d, fi)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
