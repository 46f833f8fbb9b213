package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
// index says, and ErrChanged where a file was written to meanwhile. What was
// written to w is then no bundle.
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
	idx := s.index()
	m := &Manifest{Files: []File{newFile(IndexName, idx)}}
	if o.Images != nil {
		m.Files = append(m.Files, newFile(ImagesName, o.Images))
		m.Images = imagesIn(o.Images)
	}
	for _, f := range s.files {
		m.Files = append(m.Files, f.File)
	}
	if o.Base != nil {
		m.leaveOut(o.Base)
	}
	if _, err := DecodeManifest(m.Encode()); err != nil {
		return nil, err // what nobody could read is beyond the bounds
	}
	return m, s.write(ctx, w, m, idx, o.Images)
}

// leaveOut makes m a delta: what base lists too is not in the bundle.
func (m *Manifest) leaveOut(base *Manifest) {
	m.Base = base.Digest()
	have := make(map[string]*File, len(base.Files))
	for i := range base.Files {
		have[base.Files[i].Name] = &base.Files[i]
	}
	for i := range m.Files {
		f := &m.Files[i]
		old := have[f.Name]
		f.InBase = !f.ours() && old != nil && old.same(f)
	}
}

// write writes the bundle that m describes.
func (s *survey) write(ctx context.Context, w io.Writer, m *Manifest, idx, images []byte) error {
	data := m.Encode()
	if err := writeMember(w, newFile(ManifestName, data), bytes.NewReader(data)); err != nil {
		return err
	}
	if err := writeMember(w, m.Files[0], bytes.NewReader(idx)); err != nil {
		return err
	}
	files := m.Files[1:]
	if images != nil {
		if err := writeMember(w, files[0], bytes.NewReader(images)); err != nil {
			return err
		}
		files = files[1:]
	}
	for i, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.InBase {
			continue
		}
		if err := s.writeFile(w, f, s.files[i].path); err != nil {
			return err
		}
		s.tell("files written", i+1, len(files))
	}
	_, err := w.Write(make([]byte, trailerSize))
	return err
}

// writeFile writes the file of the folder at path.
func (s *survey) writeFile(w io.Writer, f File, path string) error {
	src, err := s.dir.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer src.Close()
	if err := writeMember(w, f, src); err != nil {
		return fmt.Errorf("%s: %w", path, err)
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
