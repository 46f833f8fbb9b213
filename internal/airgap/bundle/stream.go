package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
func (s *stream) addIn(part string, f *chart.Error) {
	f.Part = part
	s.add(f)
}

// readFirst reads the first member of a bundle. Its error is a *chart.Error, or one of
// reading.
func readFirst(r io.Reader) (*Manifest, error) {
	head := make([]byte, blockSize)
	if _, err := io.ReadFull(r, head); err != nil && !short(err) {
		return nil, err
	}
	size := sizeIn(head)
	if size < 0 || !bytes.Equal(head, header(ManifestName, size)) {
		return nil, finding(ErrNotBundle, ManifestName, "a bundle begins with it, this does not",
			"name a bundle or its first part; if it is one, it is damaged: copy it again")
	}
	if size > maxManifest {
		return nil, badManifest("%d bytes, at most %d are read", size, maxManifest)
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

// files reads all that follows the manifest, and stages it unless to is nil. The error
// is one of reading or of staging, or of a ctx that ended; what is wrong with the
// bundle is in s.findings.
func (s *stream) files(to *loading) error {
	whole := true
	for i := range s.manifest.Files {
		f := &s.manifest.Files[i]
		switch {
		case f.InBase:
			continue
		case !whole:
			s.add(finding(ErrMissing, f.Name, "the bundle ended before it", copyBundle))
			continue
		}
		var err error
		if whole, err = s.file(f, to); err != nil {
			return err
		}
		s.tell("files read", i+1, len(s.manifest.Files))
	}
	if !whole {
		return nil
	}
	return s.end()
}

// file reads one file; whole is false when the bundle ends in it.
func (s *stream) file(f *File, to *loading) (whole bool, err error) {
	part := s.src.where()
	want := header(f.Name, f.Size)
	head := make([]byte, len(want))
	if _, err := io.ReadFull(s.src, head); err != nil && !short(err) {
		return false, err
	}
	staged, err := to.create(f)
	if err != nil {
		return false, err
	}
	problem := ""
	defer func() { err = errors.Join(err, to.finish(f, err == nil && problem == "")) }()
	rest, hash := &io.LimitedReader{R: s.src, N: f.Size}, sha256.New()
	body := io.TeeReader(rest, io.MultiWriter(hash, staged))
	problem = s.content(f, body)
	if _, err := io.Copy(io.Discard, body); err != nil { // what nobody wanted to know
		return false, err
	}
	if err := staged.Flush(); err != nil {
		return false, err
	}
	pad := make([]byte, padding(f.Size))
	_, err = io.ReadFull(s.src, pad)
	switch {
	case err != nil && !short(err):
		return false, err
	case rest.N > 0 || err != nil:
		problem = "the bundle ends in it"
	case hex.EncodeToString(hash.Sum(nil)) != f.SHA256:
		problem = "its SHA-256 is not what the manifest says"
	case problem == "" && (!bytes.Equal(head, want) || !zeros(pad)):
		problem = "it is not wrapped as it was written"
	}
	if problem != "" {
		s.addIn(part, finding(ErrDamaged, f.Name, problem, copyBundle))
	}
	return rest.N == 0 && err == nil, nil
}

// content reads a file as what it is, and says what is wrong with that. It need
// not read to the end.
func (s *stream) content(f *File, r io.Reader) string {
	var err error
	switch {
	case f.Name == IndexName:
		err = s.index(r)
	case f.Name == ImagesName:
		err = s.images(r)
	case f.archive():
		var info *pkgr.Info
		if info, err = s.checker.Check(r); err != nil {
			err = fmt.Errorf("no archive that Helm loads: %w", err)
		} else if md := info.Metadata; md.Name != f.Chart || md.Version != f.Version {
			err = fmt.Errorf("it holds the chart %s %s", md.Name, md.Version)
		}
	}
	if err != nil {
		return err.Error()
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
		s.addIn(part, finding(ErrDamaged, "end", "the bundle does not end as it was written", copyBundle))
	}
	part = s.src.where()
	more, err := io.Copy(io.Discard, s.src)
	if more > 0 {
		s.addIn(part, finding(ErrForeign, s.src.last(), fmt.Sprintf("%d bytes follow the end of the bundle", more),
			copyBundle+"; remove parts of another one"))
	}
	return err
}

// index reads index.yaml and compares it with the manifest: the same archives, by
// digest, under the names they have here.
func (s *stream) index(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f, err := index.Decode(data)
	if err != nil {
		return err
	}
	if len(f.Skipped) > 0 {
		return f.Skipped[0]
	}
	type id struct{ chart, version string }
	entries := make(map[id]*index.Entry, len(f.Entries))
	for _, e := range f.Entries {
		entries[id{e.Name, e.Version}] = e
	}
	archives := 0
	for i := range s.manifest.Files {
		f := &s.manifest.Files[i]
		if !f.archive() {
			continue
		}
		archives++
		e := entries[id{f.Chart, f.Version}]
		if e == nil || e.Digest != f.SHA256 || !e.At(f.Name) || !e.Created.Equal(*f.Created) {
			return fmt.Errorf("its entry of %s %s is not the manifest's", f.Chart, f.Version)
		}
	}
	if archives != len(f.Entries) {
		return fmt.Errorf("%d entries, the manifest lists %d archives", len(f.Entries), archives)
	}
	s.entries = f.Entries
	return nil
}

// images reads images.txt and compares it with the manifest.
func (s *stream) images(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err == nil && !slices.Equal(imagesIn(data), s.manifest.Images) {
		err = errors.New("its images are not the manifest's")
	}
	return err
}

// imagesIn are the references in a list of images: the first word of each line
// that is neither empty nor begins with "#".
func imagesIn(list []byte) []string {
	var images []string
	for line := range strings.Lines(string(list)) {
		if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
			images = append(images, words[0])
		}
	}
	return images
}
