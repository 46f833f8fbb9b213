package watch

import "time"

// Change is what happened since the last one.
type Change struct {
	// Paths are the entries, files or directories, that were created, written,
	// renamed, removed or got other permissions: sorted, unique, each in the
	// spelling of the directory that was given to Add. There may be some even when
	// Rescan is set, but then they are not all.
	Paths []string
	// Rescan is true when something was lost or is unknown: look at everything.
	Rescan bool
	// Reason says why Rescan is set; it is empty otherwise.
	Reason string
	// Since is when the first of it was seen.
	Since time.Time
}
