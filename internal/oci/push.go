package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// Errors of a Target, for errors.Is.
var (
	// ErrNoBlob is a manifest whose config or layer is not there.
	ErrNoBlob = errors.New("a blob of the manifest is not there")
	// ErrNoManifest is a tag or a digest that nothing has.
	ErrNoManifest = errors.New("no such manifest")
	// ErrUnknownBlob is a blob that is to be deleted and is not there, and ErrChart one that
	// goes with the version of a chart.
	ErrUnknownBlob = errors.New("blob unknown")
	ErrChart       = errors.New("the blob is a chart's, and goes when that version is deleted")
	// ErrTaken is the tag of a chart's version, for what is not that chart.
	ErrTaken = errors.New("the tag is a version of a chart")

	errOther = errors.New("the chart has another name or version")
)

// Publisher publishes and removes charts; a repo.Repository is one.
type Publisher interface {
	Publish(ctx context.Context, archive io.Reader, o repo.PublishOptions) (repo.Published, error)
	Remove(ctx context.Context, name, version string) error
}

// Target is a name in a repository, for who pushes to it. All fields but Repository are
// required.
type Target struct {
	Repository string // empty: the root one
	Name       string // in the repository
	Layout     *layout.Layout
	View       func() *repo.View // the newest one, of all charts
	Charts     *Charts
	Publisher  Publisher
	// MaxArchive bounds the archive of a chart, in bytes.
	MaxArchive int64
	Turns      *Turns // of the whole server
	Log        *slog.Logger
}

// Sent is a manifest with its bytes.
type Sent struct {
	*Manifest
	Digest digest.Digest
	Data   []byte
}

// entry is what the layout notes of p.
func (p *Sent) entry(tag string) *layout.Manifest {
	e := &layout.Manifest{Digest: p.Digest, MediaType: p.MediaType, ArtifactType: p.kind(), Tag: tag}
	if p.Subject != nil {
		e.Subject = p.Subject.Digest
	}
	return e
}

// Put keeps a manifest, durably, by its digest, and under a tag where that is not empty. A
// chart under its own name and version is published, with o: index and tag change at once,
// and what the repository refuses is not kept.
//
// Errors are ErrManifest, ErrNoBlob, ErrTaken, those of the layout, and those of
// repo.Repository.Publish.
func (t *Target) Put(ctx context.Context, tag string, p *Sent, o repo.PublishOptions) error {
	if err := t.complete(p.Manifest); err != nil {
		return err
	}
	if tag == "" {
		return t.putUntagged(p)
	}
	done, err := t.turn(ctx, tag)
	if err != nil {
		return err
	}
	defer done()
	if c := p.chart(tag); c != nil {
		err := errOther
		if !strings.Contains(t.Name, "/") {
			err = t.publish(ctx, c, o)
		}
		if !errors.Is(err, errOther) {
			return err
		}
		t.Log.Info("a chart was pushed that is not in the index: its name there would have to be that of the chart, and its tag the version",
			"name", t.Name, "tag", tag, "digest", p.Digest)
	}
	if t.version(tag) != nil {
		return fmt.Errorf("%w: %s %s", ErrTaken, t.Name, Version(tag))
	}
	return t.Layout.Put(t.Name, p.entry(tag), p.Data)
}

// putUntagged keeps a manifest by its digest. One that is there with a version of a chart goes
// with that.
func (t *Target) putUntagged(p *Sent) error {
	c, err := t.Layout.Content(t.Name)
	if err != nil {
		return err
	}
	if m := c.Digest(p.Digest); m != nil && m.Archive != "" {
		if v := t.version(m.Tag); v != nil && v.Entry.Digest == m.Archive {
			return nil
		}
	}
	return t.Layout.Put(t.Name, p.entry(""), p.Data)
}

// turn waits for who writes the same tag.
func (t *Target) turn(ctx context.Context, tag string) (done func(), err error) {
	return t.Turns.Take(ctx, t.Repository+":"+t.Name+":"+tag)
}

// version is the version of a chart that a tag means; nil: it means none.
func (t *Target) version(tag string) *repo.Version { return versionOf(t.View(), t.Name, tag) }

// push is a chart that is to be published.
type push struct {
	*Sent
	tag           string
	archive, prov *descriptor // prov is nil where there is none
}

// chart is what p is under a tag; nil: it is no chart. A provenance beside the archive is
// fine, all else makes it something that only looks like one.
func (p *Sent) chart(tag string) *push {
	if p.MediaType != ocispec.MediaTypeImageManifest || p.Config.MediaType != ConfigType {
		return nil
	}
	c := &push{Sent: p, tag: tag}
	for i := range p.Layers {
		switch d := &p.Layers[i]; {
		case d.MediaType == ChartType && c.archive == nil && d.Digest.Algorithm() == digest.SHA256:
			c.archive = d
		case d.MediaType == ProvenanceType && c.prov == nil:
			c.prov = d
		default:
			return nil
		}
	}
	if c.archive == nil {
		return nil
	}
	return c
}

// publish has the repository take in a chart. Its entry counts once the View has that
// archive as that version, and is made before: nobody sees one without the other. Where the
// version has the archive already it would count before the repository has agreed, and is
// made after. A manifest that is there by its digest alone stays so until then: a process
// that does not live to publish leaves it as it was. The error is errOther for a chart that is not what name and tag say.
func (t *Target) publish(ctx context.Context, p *push, o repo.PublishOptions) error {
	e := p.entry(p.tag)
	e.Archive = p.archive.Digest.Encoded()
	if p.archive.Size > t.MaxArchive {
		t.forget(e, true)
		return fmt.Errorf("a chart of %d bytes is %w (at most %d, the server's --max-upload-size)", p.archive.Size, layout.ErrTooLarge, t.MaxArchive)
	}
	kept, untagged, err := t.kept(e)
	if err != nil {
		return err
	}
	v := t.version(p.tag)
	there := v != nil && v.Entry.Digest == e.Archive
	if !there {
		if err := t.Layout.Put(t.Name, e, p.Data); err != nil {
			return err
		}
	}
	err = t.send(ctx, p, o)
	switch {
	case err == nil && there:
		err = t.Layout.Put(t.Name, e, p.Data)
	case err != nil && !uncertain(ctx, err):
		t.forget(e, there || kept)
	}
	if err == nil && untagged {
		err = t.Layout.Drop(t.Name, func(m *layout.Manifest) bool { return m.Digest == e.Digest && m.Tag == "" && m.Archive == "" })
	}
	if err == nil {
		t.share(p.archive.Digest)
	}
	return err
}

// kept reports whether the manifest of e was taken with its archive before, which may still
// be had by its digest, and whether it is there by its digest alone.
func (t *Target) kept(e *layout.Manifest) (kept, untagged bool, err error) {
	c, err := t.Layout.Content(t.Name)
	if err != nil {
		return false, false, err
	}
	for _, m := range c.Manifests {
		if m.Digest == e.Digest {
			kept = kept || m.Archive == e.Archive
			untagged = untagged || m.Archive == "" && m.Tag == ""
		}
	}
	return kept, untagged, nil
}

// forget takes out what was put before it was refused, unless it was there before that. What
// stays where that fails counts for nothing.
func (t *Target) forget(e *layout.Manifest, there bool) {
	err := t.Layout.Drop(t.Name, func(m *layout.Manifest) bool {
		return m.Digest == e.Digest && (m.Tag == "" && m.Archive == "" || m.Tag == e.Tag && m.Archive == e.Archive && !there)
	})
	if err != nil {
		t.Log.Warn("what was refused could not be taken out of the index of its name", "name", t.Name, "tag", e.Tag, "error", err)
	}
}

// uncertain reports whether nobody knows if what failed with err was published. Its entry
// stays: it counts if it was.
func uncertain(ctx context.Context, err error) bool {
	return errors.Is(err, repo.ErrStopped) || ctx.Err() != nil
}

// send publishes the archive and the provenance of p.
func (t *Target) send(ctx context.Context, p *push, o repo.PublishOptions) error {
	f, err := t.Layout.OpenBlob(t.Name, p.archive.Digest)
	if err != nil {
		return err
	}
	defer f.Close()
	if p.prov != nil {
		o.Provenance = func() ([]byte, error) { return t.read(p.prov) }
	}
	o.Signed = true // a manifest without the provenance would hold the tag
	check := o.Check
	o.Check = func(md *chart.Metadata) error {
		if md.Name != t.Name || Tag(md.Version) != p.tag {
			return errOther
		}
		if check == nil {
			return nil
		}
		return check(md)
	}
	_, err = t.Publisher.Publish(ctx, f, o)
	return err
}

// share has the name's blob of an archive that was published be the archive itself, which is
// on disk once then.
func (t *Target) share(d digest.Digest) {
	f, ok := t.View().Blob(d.Encoded())
	if !ok {
		return // it was replaced, or removed, in the meantime
	}
	if err := t.Layout.Link(t.Name, d, f.Path); err != nil {
		t.Log.Warn("an archive is on disk twice", "name", t.Name, "digest", d, "error", err)
	}
}
