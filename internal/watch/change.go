package watch

import (
	"fmt"
	"slices"
)

// maxPaths is how many paths a Change names; beyond that looking at everything
// is cheaper than looking each of them up.
const maxPaths = 5000

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
}

// merge returns one Change for two that came after each other.
func (c Change) merge(next Change) Change {
	paths := slices.Concat(c.Paths, next.Paths)
	slices.Sort(paths)
	out := Change{
		Paths:  slices.Compact(paths),
		Rescan: c.Rescan || next.Rescan,
		Reason: c.Reason,
	}
	if out.Reason == "" {
		out.Reason = next.Reason
	}
	return out.bounded()
}

// bounded returns c without its paths where they are too many.
func (c Change) bounded() Change {
	if len(c.Paths) <= maxPaths {
		return c
	}
	c.Paths = nil
	if !c.Rescan {
		c.Rescan, c.Reason = true, tooMany()
	}
	return c
}

func tooMany() string { return fmt.Sprintf("more than %d paths changed", maxPaths) }
