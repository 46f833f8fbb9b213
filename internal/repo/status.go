package repo

import (
	"cmp"
	"time"
)

// Status is the repository's state for people and scripts, served as JSON.
type Status struct {
	Version string `json:"version"`
	// Ready reports whether there is a complete index.
	Ready bool `json:"ready"`
	// Progress is the work that the first index waits for; nil once that is there, and
	// until the work has taken a moment.
	Progress *Progress `json:"progress,omitempty"`
	Charts   int       `json:"charts"`
	Archives int       `json:"archives"`
	// Kept is View.Kept, for whoever asks: a Status that is not asked for has none.
	Kept Named `json:"kept,omitzero"`
	// Problem is why the repository folder can't be brought up to date; empty when
	// it is. What was good is still served.
	Problem  string    `json:"problem,omitempty"`
	Failures []Failure `json:"failures"`
	Warnings []Warning `json:"warnings"`
	// Unchecked counts the archives whose contents are still being checked: they are
	// whole, and published.
	Unchecked int `json:"unchecked,omitempty"`
	// Downloads are those of dependencies that run, or have failed and will be tried
	// again.
	Downloads   []Download `json:"downloads,omitempty"`
	LastRebuild Rebuild    `json:"lastRebuild"`
	// Changes are the last changes, newest first.
	Changes    []Change       `json:"changes"`
	Sources    []SourceStatus `json:"sources"`
	Repository string         `json:"repository"`
	WatchMode  string         `json:"watchMode"`
}

// Progress is how far long work has come: Done of Total. What is one of the texts of
// Options.Progress, such as "archives checked".
type Progress struct {
	What  string `json:"what"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// Failure is a chart or an archive that could not be published as it stands.
// Its last good archive, where there is one, stays published.
type Failure struct {
	// Path is the chart's directory or the archive, as the user named its SOURCE.
	Path string `json:"path"`
	// Name and Version are empty where they could not be read; of an archive that was good
	// before they are those of then.
	Name    string    `json:"name,omitempty"`
	Version string    `json:"version,omitempty"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
}

// Warning is something that was published but deserves a look: a clash of two
// charts, a value that Helm silently changes, a lock out of sync.
type Warning struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	// theirs reports a warning for the author of an archive that was made elsewhere:
	// nobody here can do anything about it.
	theirs bool
}

// Download is the fetching of a dependency from a remote repository.
type Download struct {
	Chart      string `json:"chart"`
	Version    string `json:"version"` // a constraint, or the locked version
	Repository string `json:"repository"`
	// Since is when it was wanted first.
	Since   time.Time `json:"since"`
	Running bool      `json:"running"`
	// Reason is why the last try failed; Retry is when the next begins.
	Reason string     `json:"reason,omitempty"`
	Retry  *time.Time `json:"retry,omitempty"`
}

func (d Download) compare(e Download) int {
	return cmp.Or(cmp.Compare(d.Repository, e.Repository), cmp.Compare(d.Chart, e.Chart), cmp.Compare(d.Version, e.Version))
}

// Rebuild tells what the last pass that changed anything did.
type Rebuild struct {
	At time.Time `json:"at"`
	// Milliseconds is how long the pass took.
	Milliseconds float64 `json:"milliseconds"`
	// Packaged counts the archives that were made, Checked the archives that were
	// read and verified, Reused the charts and archives taken over unread.
	Packaged int `json:"packaged"`
	Checked  int `json:"checked"`
	Reused   int `json:"reused"`
}

// SourceStatus is one SOURCE and what was found in it.
type SourceStatus struct {
	Path     string `json:"path"`
	Charts   int    `json:"charts"`
	Archives int    `json:"archives"`
}
