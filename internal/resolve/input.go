package resolve

import "chartserve/internal/chart"

// Input is what is known of charts and archives. Resolve changes none of it.
type Input struct {
	// Charts are the charts of the SOURCEs, in order of precedence.
	Charts []*Chart
	// Dirs holds the charts in other directories that file:// paths lead to, by the
	// path as Result.Dirs had it; nil where that directory holds no chart.
	Dirs map[string]*Chart
	// Archives returns the good archives with that chart name, in order of precedence.
	Archives func(name string) []*Archive
	// Fetched holds the outcome of downloads.
	Fetched map[Want]Fetched
	// Fetching says that what is missing in Fetched will be downloaded. False makes a
	// dependency in a remote repository a failure.
	Fetching bool
	// Own are the addresses of this repository.
	Own Own
}

// Chart is a chart source.
type Chart struct {
	// Dir is absolute, with links resolved; file:// paths start there.
	Dir string
	// Path is Dir as its user named it, for messages.
	Path string
	// Err is why the chart can't be built as it stands; Content is then the last that
	// could be read.
	Err error
	Content
}

// Content is what a chart's files say.
type Content struct {
	// Metadata is nil until the chart was read without an error.
	Metadata *chart.Metadata
	// Lock is nil where there is none.
	Lock *chart.Lock
	// Vendored are the charts in charts/, in the order of pkgr.Chart.Subcharts.
	Vendored []Vendored
	// Unread says, by the name of the dependency, why what charts/ holds for it could
	// not be read. A dependency that is met otherwise does not need it.
	Unread map[string]string
	// Key identifies the chart's own files, BareKey the same without its lock.
	Key, BareKey [32]byte
}

// Vendored is one chart in charts/.
type Vendored struct {
	Name, Version string
	// Key identifies all its files.
	Key [32]byte
}

// Archive is a packaged chart that others can be built from.
type Archive struct {
	Name, Version string
	// Digest is the SHA-256 of the archive, in 64 hex digits.
	Digest string
	// Location is where the caller finds its bytes.
	Location string
	// Path is the file in a SOURCE as its user named it; empty in the repository folder.
	Path string
}

// Want is a chart that is wanted from a remote repository. Equal Wants are met by
// the same archive, so that what a chart is built from does not depend on the
// charts beside it.
type Want struct {
	// Repository is an address as the chart has it.
	Repository, Name string
	// Version is a constraint, or the version that a lock names.
	Version string
}

// Shown is the repository without the credentials that its address may hold.
func (w Want) Shown() string { return chart.ShowAddress(w.Repository) }

// Fetched is the outcome of a download: an archive, or why there is none.
type Fetched struct {
	Archive *Archive
	Err     error
}
