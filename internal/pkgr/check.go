package pkgr

import (
	"io"
	"sync"
	"time"

	"chartserve/internal/chart"
)

// Info is what a check of an archive found.
type Info struct {
	Metadata *chart.Metadata
	// Digest is the SHA-256 of the archive in 64 hex digits.
	Digest string
	// Size is the archive's, in bytes.
	Size int64
	// Created is the modification time of Chart.yaml in the archive, in UTC.
	Created  time.Time
	Warnings []string
}

// Checker checks and reads charts, from archives and directories. It keeps
// decompressors and buffers for reuse, remembers which files were found good, and is
// safe for concurrent use.
type Checker struct {
	// Output reports whether the file or directory at an absolute path, free of links, is
	// one that the program itself writes: it is no part of a chart. It may be set before
	// the first call of a method; nil: there are none.
	Output   func(path string) bool
	limits   Limits
	verdicts *verdicts
	streams  sync.Pool
}

// NewChecker returns a Checker of charts within l.
func NewChecker(l Limits) *Checker {
	return &Checker{limits: l.orHelm(), verdicts: newVerdicts(maxVerdicts), streams: sync.Pool{New: func() any { return newStream() }}}
}

// Verdicts returns what k remembers, to be kept across restarts.
func (k *Checker) Verdicts() Verdicts { return k.verdicts.snapshot() }

// Restore has k remember what another Checker did.
func (k *Checker) Restore(list Verdicts) {
	for digest, nodes := range list {
		k.verdicts.keep(digest, nodes)
	}
}

// Structure reads the archive r to its end and checks what the index says of it, and
// that it is whole: gzip to its trailer, the tar, the names of its members, Chart.yaml
// and requirements.yaml. It parses nothing else. What it takes Check may still
// refuse, for a lock, values.yaml, a schema or a sub-chart; what it refuses Check
// refuses too. So a folder of archives can be published after Structure, and what
// Check finds afterwards be set aside: the Info of both is the same, but that
// Structure's lacks warnings about what it did not look into.
//
// Errors are those of Check.
func (k *Checker) Structure(r io.Reader) (*Info, error) {
	u := k.unpacking(nothing)
	u.shallow = true
	_, info, err := u.read(r)
	return info, err
}

// Check reads the archive r to its end and refuses what any Helm would refuse to
// load, or load as another chart than others do, what is unsafe to unpack, and
// damage that Helm overlooks. Of the contents it keeps the metadata alone, so it
// needs the memory of one large file.
//
// Errors are *chart.Error, with File relative to the chart and empty where the
// archive as a whole is meant.
func (k *Checker) Check(r io.Reader) (*Info, error) {
	_, info, err := k.Examine(r)
	return info, err
}

// Examine is Check that also returns the chart: metadata, lock and sub-charts, and of
// its files those that decide about them.
func (k *Checker) Examine(r io.Reader) (*Chart, *Info, error) { return k.unpacking(nothing).read(r) }

// Read loads the archive r. It takes what Check takes, and nothing else.
func (k *Checker) Read(r io.Reader) (*Chart, error) {
	c, _, err := k.ReadParts(r, everything)
	return c, err
}

// ReadParts is Examine that keeps as well, of the files which decide nothing about the chart,
// those alone whose name, relative to the chart or sub-chart that they belong to,
// part wants. The others are left out, or empty.
func (k *Checker) ReadParts(r io.Reader, part func(name string) bool) (*Chart, *Info, error) {
	keep := func(name string) bool { return name == valuesFile || name == schemaFile || part(name) }
	return k.unpacking(keep).read(r)
}

func everything(string) bool { return true }
func nothing(string) bool    { return false }

func (k *Checker) unpacking(keep func(string) bool) *unpacking {
	return &unpacking{checker: k, budget: newBudget(k.limits), keep: keep}
}
