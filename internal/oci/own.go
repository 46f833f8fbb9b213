package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// complete has the blobs of m in the layout: those that are the repository's own archives,
// provenances and configs too, so that other tools can read it there.
func (t *Target) complete(m *Manifest) error {
	for _, d := range m.blobs() {
		size, err := t.size(d.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			if err = t.link(t.Name, d.Digest); err == nil {
				size, err = t.size(d.Digest)
			}
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %s", ErrNoBlob, d.Digest)
		case err != nil:
			return err
		case size != d.Size:
			return fmt.Errorf("%w: %s has %d bytes and is said to have %d", ErrManifest, d.Digest, size, d.Size)
		}
	}
	return nil
}

func (t *Target) size(d digest.Digest) (int64, error) {
	f, err := t.Layout.OpenBlob(t.Name, d)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

const (
	// linkTries bounds the wait for the View that knows a replaced file.
	linkTries = 100
	linkStep  = 5 * time.Millisecond
)

// link gives the name a blob of a chart. The error is fs.ErrNotExist if the View has none.
func (t *Target) link(chart string, d digest.Digest) error {
	for range linkTries {
		found := t.Charts.Blob(t.View(), chart, d)
		if found == nil {
			return fs.ErrNotExist
		}
		err := t.linkFound(found)
		if !errors.Is(err, layout.ErrDigest) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		time.Sleep(linkStep) // its file is being replaced
	}
	return fs.ErrNotExist
}

// linkFound copies what is small: nobody who writes into a provenance changes the blob then.
func (t *Target) linkFound(found *Found) error {
	f, read := found.File, found.Make
	if f != nil && (f.Archive || f.Size > provenance.MaxSize) {
		return t.Layout.Link(t.Name, found.Digest, f.Path)
	}
	if f != nil {
		read = func() ([]byte, error) { return t.readFile(f) }
	}
	data, err := read()
	if err != nil {
		return err
	}
	return t.Layout.Write(t.Name, found.Digest, data)
}

func (t *Target) readFile(f *repo.File) ([]byte, error) {
	file, err := t.View().Open(f)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return chart.ReadAtMost(file, provenance.MaxSize)
}

// Mount gives the name a blob that another one has, which may be a chart. It reports whether
// that has it.
func (t *Target) Mount(from string, d digest.Digest) (bool, error) {
	ok, err := t.Layout.Mount(t.Name, from, d)
	if err != nil || ok {
		return ok, err
	}
	err = t.link(from, d)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// read reads a provenance; one that is too long is cut, and no provenance then.
func (t *Target) read(d *descriptor) ([]byte, error) {
	f, err := t.Layout.OpenBlob(t.Name, d.Digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, provenance.MaxSize+1))
}
