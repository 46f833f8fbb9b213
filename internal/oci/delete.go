package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// DeleteTag takes a tag away, of a chart with its version. What it led to is still found by
// its digest, of a chart for as long as the View has that.
//
// Errors are ErrNoManifest, those of the layout, and those of repo.Repository.Remove.
func (t *Target) DeleteTag(ctx context.Context, tag string) error {
	done, err := t.turn(ctx, tag)
	if err != nil {
		return err
	}
	defer done()
	c, err := t.Layout.Content(t.Name)
	if err != nil {
		return err
	}
	v, artifact := t.version(tag), false
	for _, m := range c.Tag(tag) {
		artifact = artifact || m.Archive == ""
	}
	if v == nil && !artifact {
		return fmt.Errorf("%w: %s:%s", ErrNoManifest, t.Name, tag)
	}
	if v != nil {
		if err := t.Publisher.Remove(ctx, t.Name, v.Entry.Version); err != nil {
			return err
		}
	}
	return t.Layout.Untag(t.Name, tag)
}

// DeleteManifest takes a manifest away with all its tags, and the version of the chart whose
// manifest it is. The errors are those of DeleteTag.
func (t *Target) DeleteManifest(ctx context.Context, d digest.Digest) error {
	v, err := t.standsFor(d)
	if err == nil && v != nil {
		done, turnErr := t.turn(ctx, Tag(v.Entry.Version))
		if turnErr != nil {
			return turnErr
		}
		defer done()
		v, err = t.standsFor(d) // who had the turn may have given the version another archive
	}
	if err != nil {
		return err
	}
	if v != nil {
		if err := t.Publisher.Remove(ctx, t.Name, v.Entry.Version); err != nil {
			return err
		}
	}
	return t.Layout.Drop(t.Name, func(m *layout.Manifest) bool { return m.Digest == d })
}

// standsFor is the version of a chart that a manifest stands for: one that was pushed with
// it, or the one that it is made of; nil: it stands for none. The error is ErrNoManifest if
// it is not there.
func (t *Target) standsFor(d digest.Digest) (*repo.Version, error) {
	c, err := t.Layout.Content(t.Name)
	if err != nil {
		return nil, err
	}
	view := t.View()
	for _, m := range c.Manifests {
		if m.Digest != d || m.Archive == "" {
			continue
		}
		if v := versionOf(view, t.Name, m.Tag); v != nil && v.Entry.Digest == m.Archive {
			return v, nil
		}
	}
	for _, v := range versionsOf(view, t.Name) {
		m, err := t.Charts.image(view, currentOf(view, v))
		if err != nil {
			return nil, err
		}
		if m.manifest.digest == d {
			return v, nil
		}
	}
	if c.Digest(d) == nil {
		return nil, fmt.Errorf("%w: %s@%s", ErrNoManifest, t.Name, d)
	}
	return nil, nil
}

// DeleteBlob takes a blob away from the name. The error is ErrChart for what a version of a
// chart has, and ErrUnknownBlob if it is not there.
func (t *Target) DeleteBlob(d digest.Digest) error {
	if t.Charts.Blob(t.View(), t.Name, d) != nil {
		return fmt.Errorf("%w: %s", ErrChart, d)
	}
	err := t.Layout.DropBlob(t.Name, d)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrUnknownBlob, d)
	}
	return err
}
