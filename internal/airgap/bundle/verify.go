package bundle

import (
	"context"
	"errors"
	"io"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// ReadOptions say how a bundle is read. The zero value reads one that needs
// neither standard input nor charts over Helm's limits.
type ReadOptions struct {
	// Stdin is what the path "-" means.
	Stdin io.Reader
	// Limits bound a chart's files; zero: Helm's.
	Limits pkgr.Limits
	// Progress is told of "files read", one call at a time; nil: nobody is.
	Progress func(what string, done, total int)
	// Base is where Verify looks for what a delta leaves out: a repository folder, a
	// manifest, or an earlier bundle; "": it does not look.
	Base string
	// Replace lets Load put an archive in place of another of the same name.
	Replace bool
	// Vouch returns to Load why an archive with that file name and SHA-256 in hex is not
	// to come in, by its provenance, which is nil where there is none; nil: all may.
	Vouch func(provenance []byte, file, digest string) error
}

// Report is what Verify found.
type Report struct {
	// Manifest is nil when it could not be read.
	Manifest *Manifest
	// Parts is how many files the bundle consists of.
	Parts int
	// Findings are in the order of the bundle; empty: it is complete and unchanged.
	Findings chart.Errors
}

// Verify reads the bundle in paths from end to end: its file or "-", or its parts
// in any order, or its first part or list of checksums alone. Whatever is wrong
// with it is in the Report; the error is one of reading, or of ctx.
func Verify(ctx context.Context, paths []string, o ReadOptions) (*Report, error) {
	s := newStream(o)
	err := s.open(ctx, paths, o.Stdin)
	defer s.src.Close()
	if err == nil && o.Base != "" {
		var findings chart.Errors
		findings, err = checkBase(ctx, o.Base, s.manifest)
		s.findings = append(s.findings, findings...)
	}
	if err == nil {
		err = s.files(nil)
	}
	if f := new(chart.Error); errors.As(err, &f) {
		s.findings, err = append(s.findings, f), nil
	}
	if err != nil {
		return nil, err
	}
	return &Report{Manifest: s.manifest, Parts: len(s.src.parts), Findings: s.findings}, nil
}

func newStream(o ReadOptions) *stream {
	return &stream{checker: pkgr.NewChecker(o.Limits), tell: told(o.Progress)}
}

// open opens the bundle in paths and reads its manifest. The source is to be closed,
// also after an error, which is a *chart.Error or one of reading.
func (s *stream) open(ctx context.Context, paths []string, stdin io.Reader) (err error) {
	if s.src, err = newSource(ctx, paths, stdin, s.add); err != nil {
		return err
	}
	s.manifest, err = readFirst(s.src)
	if f := new(chart.Error); errors.As(err, &f) {
		f.Part = s.src.where()
	}
	return err
}

// told returns progress, or a function that nobody listens to.
func told(progress func(string, int, int)) func(string, int, int) {
	if progress == nil {
		return func(string, int, int) {}
	}
	return progress
}
