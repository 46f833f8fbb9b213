package mirror

import (
	"errors"
	"log/slog"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// Options adjust a Run. The zero value is fine.
type Options struct {
	// Jobs is how many archives are fetched at once; zero: 4.
	Jobs int
	// Limits bound what is read of one chart; zero: Helm's.
	Limits pkgr.Limits
	// Replace takes an archive that differs from the one of that name and version in
	// the repository folder. Without it that is an error: versions don't change.
	Replace bool
	// KeepGoing fetches and delivers the rest where something fails.
	KeepGoing bool
	// DryRun only lists what would be fetched; nothing is written.
	DryRun bool
	// Vouch returns why an archive with that file name and SHA-256 in hex is not to be
	// taken, by its provenance, which is nil where there is none; nil: all are taken. It
	// is called by several goroutines.
	Vouch func(provenance []byte, file, digest string) error
	// Progress is told how many archives of those known so far are done; nil: nobody
	// is. It is called by several goroutines.
	Progress func(done, total int)
	// Logger takes warnings; nil discards them.
	Logger *slog.Logger
}

const (
	defaultJobs = 4
	// maxGather bounds the sources that are asked at once: an index may be large.
	maxGather = 4
	// stageName is the mirror's delivery in the repository folder.
	stageName = "mirror"
)

// Kinds of errors, for errors.Is.
var (
	// ErrIncomplete is a run that could not get everything; Result.Failures lists
	// what is missing.
	ErrIncomplete = errors.New("the mirror is not complete")
	// ErrMissing is a chart or version that was asked for and that is nowhere.
	ErrMissing = errors.New("not found")
	// ErrConflict is an archive that differs from the one in the repository folder.
	ErrConflict = errors.New("the repository folder has another archive of that name and version")
	// ErrMismatch is a download that is not what the source said.
	ErrMismatch = errors.New("the download is not what its source says")
)

// Result is what a run did.
type Result struct {
	// Charts counts names, Archives what the sources offer and the filters select,
	// which is New, Unchanged and those that failed.
	Charts, Archives, New, Unchanged int
	// Bytes is the size of the archives that were fetched.
	Bytes int64
	// Delivered says that there is a delivery for the repository to take in.
	Delivered bool
	// Failures are what is missing, ordered by File: an archive as "NAME VERSION", a
	// chart, or a source.
	Failures chart.Errors
	// Listed is what a dry run would fetch.
	Listed []Item
}

// Item is an archive that would be fetched.
type Item struct {
	Name, Version string
	Size          int64 // in bytes, -1 unknown
	Source        string
}
