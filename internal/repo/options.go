package repo

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/layout"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
	"chartserve/internal/store"
)

// Options say what a repository is made of. The zero value is a repository of
// the archives that already stand in the repository folder.
type Options struct {
	// Sources are directories or globs that are searched for charts and archives.
	Sources []string
	// Exclude are globs; what they match, by base name or by path relative to its
	// SOURCE, is not looked at.
	Exclude []string
	// URL is the prefix of the archives' URLs in the index; empty: relative URLs.
	URL string
	// OwnURLs are addresses under which this repository is known to charts that
	// depend on it: "URL", or "name=URL" to resolve "@name" and "alias:name" too; with
	// "=SOURCE" behind it only what is in that SOURCE (see resolve.NewOwn).
	// resolve.DefaultOwnURL always belongs to them.
	OwnURLs []string
	// DigestURLs makes the index point to archives by their digest, so that a URL
	// never means other bytes than its entry says.
	DigestURLs bool
	// Retention retires versions that are not live.
	Retention Retention
	// KeepReplaced is how long an archive that was replaced, pruned or retired can still
	// be had; zero: not at all.
	KeepReplaced time.Duration
	// ContextPath is in the index, as serverInfo.contextPath, where it is not empty: helm
	// cm-push reads there below which path of the server the API is.
	ContextPath string
	// Apart reports whether a directory in the repository folder, by its name relative to
	// that, with slashes, is another repository's, or holds others'; nil: none is.
	Apart func(dir string) bool
	// Prune removes archives that were made from a source that is gone.
	Prune bool
	// Strict makes Build return ErrBadCharts when there is any failure, and an error when
	// there is nothing in a source.
	Strict bool
	// Poll, when positive, looks for changes at this interval and uses no events.
	Poll time.Duration
	// IndexFormat is the form of index.yaml; zero: by the number of versions.
	IndexFormat index.Format
	// Limits bound a chart's files; zero: Helm's.
	Limits pkgr.Limits
	// Timestamp is SOURCE_DATE_EPOCH: it is written into archives, and is when each of
	// them was created, by the index. Zero: 1980-01-01T00:00:00Z in archives, and what
	// index.Dates chooses in the index.
	Timestamp time.Time
	// Rewrite replaces the repositories of dependencies, in the charts that are built
	// and in the index. Archives that are copied stay as they are.
	Rewrite chart.Rewrites
	// BuildMetadata is appended to the version of each chart that is built, as
	// "+METADATA"; empty: versions stay as they are.
	BuildMetadata string
	// Signer signs the archives that are built; nil: they are not signed.
	Signer Signer
	// Trust says which archives of others may be published: those that stand in a SOURCE or
	// in the repository folder, and uploads; nil: all.
	Trust Trust
	// Fetcher downloads dependencies from the remote repositories that they name;
	// nil: charts that need one can't be built.
	Fetcher Fetcher
	// Output reports whether the file at an absolute path, free of links, is one that the
	// program itself writes: it is no part of a chart, and no archive of a SOURCE. nil:
	// there are none.
	Output func(path string) bool
	// MaxBlob bounds a blob that is pushed, in bytes; zero: layout.DefaultMaxBlob.
	MaxBlob int64
	// Jobs bounds the charts that are worked on at once; zero: GOMAXPROCS.
	Jobs int
	// Progress is told of long work several times a second, one call at a time:
	// "charts read", "archives checked", "signatures checked", "archives made"; nil: nobody is.
	Progress func(what string, done, total int)
	// Observer is told what happens; nil: nobody is.
	Observer Observer
	// Version is chartserve's own, for Status.
	Version string
	// Logger takes logs; nil discards them.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	fault func(op, name string) error // of the repository folder, in tests
}

// ErrBadCharts is Strict's: the repository was built, but not every chart could be.
var ErrBadCharts = errors.New("some charts could not be published")

// OptionError is an option that can't be meant, whatever is on disk.
type OptionError struct{ error }

func (e OptionError) Unwrap() error { return e.error }

func badOption(format string, args ...any) error { return OptionError{fmt.Errorf(format, args...)} }

// Check returns the error that Open would begin with: an OptionError, or one about a SOURCE
// that is not there. It opens nothing.
func (o Options) Check() error {
	o, _, err := o.check()
	return cmp.Or(err, o.checkSources())
}

func (o Options) checkSources() error {
	_, _, err := expandSources(o.Sources)
	return err
}

// check returns o with its zero values filled in, and what its addresses mean.
func (o Options) check() (Options, resolve.Own, error) {
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return o, resolve.Own{}, badOption("url %q: not an http or https address (write it as https://charts.example.com/charts)", o.URL)
		}
	}
	own, err := resolve.NewOwn(append(slices.Clone(o.OwnURLs), o.URL)...)
	if err != nil {
		return o, own, OptionError{err}
	}
	for _, g := range o.Exclude {
		if _, err := path.Match(g, ""); err != nil {
			return o, own, badOption("exclude %q: %w", g, err)
		}
	}
	if o.BuildMetadata != "" {
		md := chart.Metadata{APIVersion: "v2", Name: "x", Version: "1.0.0+" + o.BuildMetadata}
		if err := md.Validate(); err != nil {
			return o, own, badOption("build metadata %q: only letters, digits, '-' and '.' may stand in it", o.BuildMetadata)
		}
	}
	if o.KeepReplaced < 0 {
		return o, own, badOption("keep replaced archives for %v: write 0 or more", o.KeepReplaced)
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Output == nil {
		o.Output = func(string) bool { return false }
	}
	return o, own, nil
}

// store returns the options of the repository folder.
func (o *Options) store() store.Options {
	return store.Options{KeepReplaced: o.KeepReplaced, Apart: o.Apart, Now: o.Now, Logger: o.Logger, Fault: o.fault}
}

// layout returns the options of what is pushed.
func (o *Options) layout() layout.Options {
	return layout.Options{MaxBlob: o.MaxBlob, Now: o.Now, Fault: o.fault}
}

// hide makes what is in s an output: it is never a source.
func (o *Options) hide(s *store.Store) {
	given := o.Output
	o.Output = func(path string) bool { return within(s.Path(), path) || given(path) }
}

// address is the URL of an archive in the index. With DigestURLs it names the archive by
// its content, which is linked there for hosts that serve the folder as it is.
func (o *Options) address(name, digest string) string {
	if o.DigestURLs {
		name = store.Address(digest, name)
	}
	return index.FileURL(o.URL, name)
}

// withMetadata is version with the build metadata added.
func (o *Options) withMetadata(version string) string {
	switch {
	case o.BuildMetadata == "":
		return version
	case strings.Contains(version, "+"):
		return version + "." + o.BuildMetadata
	}
	return version + "+" + o.BuildMetadata
}
