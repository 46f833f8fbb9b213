package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// stream reads a bundle from its first byte to its last and collects what is
// wrong. It trusts nothing but the manifest, once its seal fits: from there on it
// knows what every byte has to be, but for the files' own, which have a digest.
type stream struct {
	src      *source
	checker  *pkgr.Checker
	tell     func(what string, done, total int)
	findings chart.Errors
	manifest *Manifest
	entries  []*index.Entry // of index.yaml, nil when that is damaged
}

func (s *stream) add(f *chart.Error) { s.findings = append(s.findings, f) }

// addIn adds what is wrong with a file inside the bundle.
func (s *stream) addIn(kind error, part, file, problem, remedy string) {
	s.add(&chart.Error{Kind: kind, File: file, Part: part, Reason: problem, Remedy: remedy})
}

// copyAgain is the remedy for most.
const copyAgain = "copy the bundle again from where it was made"

// open reads the manifest. Its error is a *chart.Error, or one of reading.
func (s *stream) open() error {
	var err error
	s.manifest, err = readFirst(s.src)
	if f := new(chart.Error); errors.As(err, &f) {
		f.Part = s.src.where()
	}
	return err
}

// readFirst reads the first member of a bundle.
func readFirst(r io.Reader) (*Manifest, error) {
	head := make([]byte, blockSize)
	if _, err := io.ReadFull(r, head); err != nil && !short(err) {
		return nil, err
	}
	size := sizeIn(head)
	if size < 0 || !bytes.Equal(head, header(ManifestName, size)) {
		return nil, &chart.Error{
			Kind: ErrNotBundle, File: ManifestName, Reason: "a bundle begins with it, this does not",
			Remedy: "name a bundle or its first part; if it is one, it is damaged: copy it again",
		}
	}
	if size > maxManifest {
		return nil, badManifest(fmt.Sprintf("%d bytes, at most %d are read", size, maxManifest))
	}
	var data bytes.Buffer
	if _, err := io.CopyN(&data, r, size+padding(size)); err != nil {
		if short(err) {
			return nil, badManifest("the bundle ends in it")
		}
		return nil, err
	}
	if !zeros(data.Bytes()[size:]) {
		return nil, badManifest("something is behind it that does not belong there")
	}
	return DecodeManifest(data.Bytes()[:size])
}

// short reports whether a reader had no more.
func short(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

func zeros(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// files reads all that follows the manifest, and stages it unless to is nil. The error is one of reading or of
// staging, or of a ctx that ended; what is wrong with the bundle is in s.findings.
func (s *stream) files(to *loading) error {
	for i := range s.manifest.Files {
		f := &s.manifest.Files[i]
		if f.InBase {
			continue
		}
		whole, err := s.file(f, to)
		if err != nil {
			return err
		}
		s.tell("files read", i+1, len(s.manifest.Files))
		if !whole {
			s.missing(s.manifest.Files[i+1:])
			return nil
		}
	}
	return s.end()
}

// missing reports the files that a bundle ended before.
func (s *stream) missing(files []File) {
	for i := range files {
		if !files[i].InBase {
			s.addIn(ErrMissing, "", files[i].Name, "the bundle ended before it", copyAgain)
		}
	}
}

// file reads one file; whole is false when the bundle ends in it.
func (s *stream) file(f *File, to *loading) (whole bool, err error) {
	part := s.src.where()
	want := header(f.Name, f.Size)
	head := make([]byte, len(want))
	if _, err := io.ReadFull(s.src, head); err != nil && !short(err) {
		return false, err
	}
	b := &body{left: f.Size, src: s.src, hash: sha256.New()}
	var problem string
	if b.to, err = to.create(f); err != nil {
		return false, err
	}
	problem = s.content(f, b)
	b.drain()
	if b.failed != nil {
		return false, errors.Join(b.failed, to.finish(f, false))
	}
	pad := make([]byte, padding(f.Size))
	_, err = io.ReadFull(s.src, pad)
	switch {
	case err != nil && !short(err):
		return false, errors.Join(err, to.finish(f, false))
	case b.left > 0 || err != nil:
		s.addIn(ErrDamaged, part, f.Name, "the bundle ends in it", copyAgain)
		return false, to.finish(f, false)
	case hex.EncodeToString(b.hash.Sum(nil)) != f.SHA256:
		problem = "its SHA-256 is not what the manifest says"
	case problem == "" && (!bytes.Equal(head, want) || !zeros(pad)):
		problem = "it is not wrapped as it was written"
	}
	if problem != "" {
		s.addIn(ErrDamaged, part, f.Name, problem, copyAgain)
	}
	return true, to.finish(f, problem == "")
}

// content reads a file as what it is, and says what is wrong with that. It need
// not read to the end.
func (s *stream) content(f *File, b *body) string {
	switch {
	case f.Name == IndexName:
		return s.index(b)
	case f.Name == ImagesName:
		return s.images(b)
	case !f.archive():
		return ""
	}
	info, err := s.checker.Check(b)
	if err != nil {
		return "no archive that Helm loads: " + err.Error()
	}
	if md := info.Metadata; md.Name != f.Chart || md.Version != f.Version {
		return fmt.Sprintf("it holds the chart %s %s", md.Name, md.Version)
	}
	return ""
}

// end expects a tar's trailer and nothing behind it.
func (s *stream) end() error {
	part := s.src.where()
	trailer := make([]byte, trailerSize)
	n, err := io.ReadFull(s.src, trailer)
	if err != nil && !short(err) {
		return err
	}
	if n < len(trailer) || !zeros(trailer) {
		s.addIn(ErrDamaged, part, "end", "the bundle does not end as it was written", copyAgain)
	}
	part = s.src.where()
	more, err := io.Copy(io.Discard, s.src)
	if more > 0 {
		s.addIn(ErrForeign, part, s.src.last(), fmt.Sprintf("%d bytes follow the end of the bundle", more), copyAgain+"; remove parts of another one")
	}
	return err
}

// body is the bytes of one file: it hashes them and hands them on.
type body struct {
	src    io.Reader
	left   int64
	hash   hash.Hash
	to     io.Writer // nil: nowhere
	failed error     // of reading or writing, other than the bundle's end
}

func (b *body) Read(p []byte) (int, error) {
	if b.failed != nil {
		return 0, b.failed
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.src.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.hash.Write(p[:n])
	if b.to != nil && n > 0 {
		if _, werr := b.to.Write(p[:n]); werr != nil {
			b.failed = werr
			return n, werr
		}
	}
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}

// drain reads what nobody wanted to know.
func (b *body) drain() {
	_, _ = io.Copy(io.Discard, b) // its error is in failed
}
