package repo

import (
	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// Find returns the version of a chart that Helm's lookup in an index finds
// (repo.IndexFile.Get): the one that is spelled exactly so, else the newest that meets
// the constraint; nil: there is none. An empty constraint is the newest stable version.
// The error is about the constraint.
func (c *Chart) Find(constraint string) (*Version, error) {
	versions, err := chart.Pick{Name: c.Name, Constraint: constraint}.Versions(false)
	if err != nil {
		return nil, err
	}
	if v := c.Version(constraint); v != nil {
		return v, nil
	}
	for _, v := range c.Versions {
		if version, err := semver.NewVersion(v.Entry.Version); err == nil && versions.Check(version) {
			return v, nil
		}
	}
	return nil, nil
}

// ReadParts reads an archive and returns the chart, with its metadata and those files
// alone whose name, relative to the chart or sub-chart that they belong to, part wants.
// Errors are those of Open, and of pkgr.
func (v *View) ReadParts(f *File, part func(name string) bool) (*pkgr.Chart, error) {
	file, err := v.Open(f)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, _, err := v.checker.ReadParts(file, part)
	return c, err
}

// Metadata reads what the index says, or said, of an archive. Errors are those of Open, and
// of pkgr.
func (v *View) Metadata(f *File) (*chart.Metadata, error) {
	c, err := v.ReadParts(f, func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	return v.rewrite.Metadata(c.Metadata), nil
}
