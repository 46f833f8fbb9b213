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
	// Base is where Verify looks for what a delta leaves out; nil: it does not look.
	Base *Base
	// Replace lets Load put an archive in place of another of the same name.
	Replace bool
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
	s, err := openStream(ctx, paths, o)
	if s == nil {
		return report(&Report{}, err)
	}
	defer s.src.Close()
	rep := &Report{Manifest: s.manifest, Parts: len(s.src.parts), Findings: s.findings}
	if err != nil {
		return report(rep, err)
	}
	if o.Base != nil {
		if s.findings, err = o.Base.check(ctx, s.manifest); err != nil {
			return nil, err
		}
	}
	if err := s.files(nil); err != nil {
		return nil, err
	}
	rep.Findings = s.findings
	return rep, nil
}

// told is progress, or a function that nobody listens to.
func told(progress func(string, int, int)) func(string, int, int) {
	if progress == nil {
		return func(string, int, int) {}
	}
	return progress
}

// report moves a finding from err to rep.
func report(rep *Report, err error) (*Report, error) {
	f := new(chart.Error)
	if !errors.As(err, &f) {
		return nil, err
	}
	rep.Findings = append(rep.Findings, f)
	return rep, nil
}

// openStream opens the bundle in paths and reads its manifest; the stream is there
// as soon as the parts are.
func openStream(ctx context.Context, paths []string, o ReadOptions) (*stream, error) {
	s := &stream{checker: pkgr.NewChecker(o.Limits), tell: told(o.Progress)}
	var err error
	if s.src, err = newSource(ctx, paths, o.Stdin, s.add); err != nil {
		return nil, err
	}
	return s, s.open()
}
