package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// ErrChanged is an archive that changed while it was bundled.
var ErrChanged = errors.New("it changed meanwhile")

// CreateOptions say what goes into a bundle besides the folder. The zero value
// makes a whole bundle without a list of images.
type CreateOptions struct {
	// Images is the document images.txt: a reference at the start of each line, "#"
	// begins a comment. nil: the bundle has none.
	Images []byte
	// Base is the manifest of what the receiver has; nil: nothing is left out.
	Base *Manifest
	// Limits bound a chart's files; zero: Helm's.
	Limits pkgr.Limits
	// Progress is told of long work, one call at a time: "archives checked", "files
	// written"; nil: nobody is.
	Progress func(what string, done, total int)
	// Jobs bounds the archives that are read at once; zero: GOMAXPROCS.
	Jobs int
}

// Create writes the repository folder at path as a bundle to w: the archives that its
// index.yaml names, with their provenance. Each is read twice, as its digest has
// to be known before the first byte is written.
//
// Errors are *chart.Error or chart.Errors of kind ErrFolder where the folder is not as its
// index says, ErrNoRoom where w is an Output whose file system is too full, and
// ErrChanged where a file was written to meanwhile. What was written to w is then no
// bundle.
func Create(ctx context.Context, path string, w io.Writer, o CreateOptions) (*Manifest, error) {
	dir, err := folder.Open(path)
	if err != nil {
		return nil, fmt.Errorf("repository folder %q: %w (name one with --repo-path, or SOURCEs to build)", path, err)
	}
	defer dir.Close()
	if len(o.Images) > maxImages || !utf8.Valid(o.Images) {
		return nil, fmt.Errorf("the list of images is not UTF-8 text of at most %d bytes", maxImages)
	}
	s, err := surveyFolder(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	if o.Images != nil {
		s.files = slices.Insert(s.files, 0, inMemory(ImagesName, o.Images))
	}
	s.files = slices.Insert(s.files, 0, inMemory(IndexName, s.index()))
	m := &Manifest{Images: imagesIn(o.Images)}
	for _, f := range s.files {
		m.Files = append(m.Files, f.File)
	}
	if o.Base != nil {
		m.leaveOut(o.Base)
	}
	data := m.Encode()
	if _, err := DecodeManifest(data); err != nil {
		return nil, err // what nobody could read is beyond the bounds
	}
	if out, ok := w.(*Output); ok {
		if err := checkRoom(out.dir, m.Totals().Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w", out.path, err)
		}
	}
	if err := s.writeFile(w, inMemory(ManifestName, data)); err != nil {
		return nil, err
	}
	for i, f := range s.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m.Files[i].InBase {
			continue
		}
		if err := s.writeFile(w, f); err != nil {
			return nil, err
		}
		s.tell("files written", i+1, len(s.files))
	}
	_, err = w.Write(make([]byte, trailerSize))
	return m, err
}

// leaveOut makes m a delta: what base lists too is not in the bundle. Without anything
// to leave out m stays whole.
func (m *Manifest) leaveOut(base *Manifest) {
	have, out := base.byName(), false
	for i := range m.Files {
		f := &m.Files[i]
		old := have[f.Name]
		f.InBase = !f.ours() && old != nil && old.same(f)
		out = out || f.InBase
	}
	if out {
		m.Base = base.Digest()
	}
}

// writeFile writes a file as a member.
func (s *survey) writeFile(w io.Writer, f located) error {
	if f.data != nil {
		return writeMember(w, f.File, bytes.NewReader(f.data))
	}
	src, err := s.dir.Open(f.path)
	if err == nil {
		defer src.Close()
		err = writeMember(w, f.File, src)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// writeMember writes one member, whose bytes r must have, no more and no less.
func writeMember(w io.Writer, f File, r io.Reader) error {
	if _, err := w.Write(header(f.Name, f.Size)); err != nil {
		return err
	}
	digest, n, err := chart.DigestOf(io.TeeReader(io.LimitReader(r, f.Size), w))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, io.LimitReader(r, 1))
	if err != nil {
		return err
	}
	if n != f.Size || more > 0 || digest != f.SHA256 {
		return fmt.Errorf("%w (let whoever writes to the folder finish, then start again)", ErrChanged)
	}
	_, err = w.Write(make([]byte, padding(f.Size)))
	return err
}
