package layout

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
)

// uploads cancels those that are idle.
func (c *collection) uploads() error {
	l := c.l
	l.open.mu.Lock()
	err := l.countUploads()
	l.open.mu.Unlock()
	if err != nil {
		return err
	}
	err = l.eachUpload(func(file string, fi fs.FileInfo) error {
		if c.now.Sub(fi.ModTime()) < maxIdle {
			return nil
		}
		l.open.mu.Lock()
		u := l.open.all[file]
		l.open.mu.Unlock()
		if u == nil || !u.writing.TryLock() {
			return nil
		}
		defer u.writing.Unlock()
		if fi, err := l.files.Stat(file); err != nil || c.now.Sub(fi.ModTime()) < maxIdle {
			return nil // somebody went on with it
		}
		if !c.opts.DryRun {
			if err := l.cancel(file); err != nil {
				return err
			}
		}
		name, _ := nameOf(path.Base(path.Dir(file)))
		c.done.Uploads++
		c.done.Bytes += fi.Size()
		c.tell(Garbage{Kind: "upload", Name: name, Size: fi.Size()})
		return nil
	})
	if err == nil && !c.opts.DryRun {
		l.removeEmptyUploads()
	}
	return err
}

// removeEmpty removes the folder of a name that has neither entries nor blobs.
func (l *Layout) removeEmpty(name string) error {
	lock := l.changing(name)
	lock.Lock()
	defer lock.Unlock()
	l.sweep.Lock()
	defer l.sweep.Unlock()
	c, err := l.Content(name)
	if err != nil || len(c.Manifests) > 0 {
		return err
	}
	folder, err := folderOf(name)
	if err != nil {
		return err
	}
	dir := path.Join(root, folder)
	l.mu.Lock()
	l.forget(name)
	maps.DeleteFunc(l.durable, func(known string, _ bool) bool { return known == dir || strings.HasPrefix(known, dir+"/") })
	l.mu.Unlock()
	for _, file := range []string{
		blobsDir + "/" + digest.SHA256.String(), blobsDir + "/" + digest.SHA512.String(), blobsDir, indexFile, layoutFile, "",
	} {
		err := l.files.Remove(path.Join(dir, file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil // there is more in it
		}
	}
	return nil
}

// removeEmptyUploads removes the folders in which no upload goes on. Those that are not empty
// can't be removed.
func (l *Layout) removeEmptyUploads() {
	l.sweep.Lock()
	defer l.sweep.Unlock()
	names, err := l.files.ReadDir(uploads)
	for _, fi := range names {
		if _, ok := nameOf(fi.Name()); ok && err == nil {
			_ = l.files.Remove(path.Join(uploads, fi.Name()))
		}
	}
}
