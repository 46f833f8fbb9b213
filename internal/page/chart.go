package page

import (
	"chartserve/internal/chart"
	"chartserve/internal/repo"
)

// maxReasons bounds the failures that the pages of a chart show; the list has more.
const maxReasons = 5

// Subject is the version of a chart that a page is about.
type Subject struct {
	Frame
	View     *repo.View
	Chart    *repo.Chart
	Version  *repo.Version
	Metadata *chart.Metadata
	// Failures are why the chart's source can't be published as it stands, the first of them.
	Failures []repo.Failure
	// Tab is the one of the chart's pages that is shown.
	Tab string
}

// NewSubject makes the Subject of a version of c. The error is about its entry in the
// index.
func NewSubject(f Frame, view *repo.View, c *repo.Chart, v *repo.Version) (Subject, error) {
	md, err := v.Entry.Metadata()
	f.About = v.Entry.Description
	f.Title, f.Feed = v.Entry.Name+" "+v.Entry.Version, f.ChartURL(c.Name)+"feed.atom"
	return Subject{Frame: f, View: view, Chart: c, Version: v, Metadata: md, Failures: first(view.FailuresOf(c.Name), maxReasons)}, err
}

// Kept reports whether a version has no source, where there are SOURCEs.
func (s Subject) Kept(v *repo.Version) bool { return !v.Live && len(s.View.Status.Sources) > 0 }

// Newest reports whether the version is the first of the index.
func (s Subject) Newest() bool { return s.Version == s.Chart.Versions[0] }

// Base is the URL of the chart's page; Own is that of the version.
func (s Subject) Base() string { return s.ChartURL(s.Version.Entry.Name) }
func (s Subject) Own() string {
	return s.VersionURL(s.Version.Entry.Name, s.Version.Entry.Version)
}
