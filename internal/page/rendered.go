package page

import (
	"fmt"

	"chartserve/internal/page/diff"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// Manifests are what Helm makes of a version.
type Manifests struct {
	Text    []byte
	Problem string // why there are none; empty: there are
}

// rendered is the difference of the manifests of two versions.
type rendered struct {
	Subject       // of the version after
	From          *repo.Version
	Before, After Manifests
	File          changedFile // has no Name where the manifests are the same
}

// Rendered is the page of what changed in the manifests from a version to that of s.
func Rendered(s Subject, from *repo.Version, before, after Manifests) Page {
	s.Tab, s.Still = "versions", true
	s.Title = fmt.Sprintf("%s: manifests from %s to %s", s.Chart.Name, from.Entry.Version, s.Version.Entry.Version)
	p := rendered{Subject: s, From: from, Before: before, After: after}
	if before.Problem == "" && after.Problem == "" {
		side := func(m Manifests) diff.Side {
			return diff.Side{Files: []pkgr.File{{Name: "manifests.yaml", Data: m.Text}}}
		}
		if d := diff.Compare(side(before), side(after), diff.Options{Lines: shownLines.Total}); len(d.Files) > 0 {
			p.File = changedFile{d.Files[0], 1, true, [2]string{from.Entry.Version, s.Version.Entry.Version}}
		}
	}
	return Page{"rendered", p}
}

// Unified is the difference as patch reads it.
func (p rendered) Unified() string { return p.File.unified() }
