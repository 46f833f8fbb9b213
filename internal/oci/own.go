package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/provenance"
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

func (t *Target) linkFound(found *Found) error {
	if found.File != nil {
		return t.Layout.Link(t.Name, found.Digest, found.File.Path)
	}
	data, err := found.Make()
	if err != nil {
		return err
	}
	return t.Layout.Write(t.Name, found.Digest, data)
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
