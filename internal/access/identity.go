package access

import (
	"cmp"
	"path"
	"slices"
)

// Right is what somebody may do with charts.
type Right string

// The rights. None implies another.
const (
	Read   Right = "read"
	Upload Right = "upload"
	Delete Right = "delete"
)

func allRights() []Right { return []Right{Read, Upload, Delete} }

// Identity is who a request is from. The zero value is somebody who did not log in
// and may do nothing.
type Identity struct {
	// Name is empty for who did not log in.
	Name string

	grants []*grant
}

// May reports whether id has a right on a chart of a repository. The root repository of a
// server has the empty name.
func (id Identity) May(right Right, repository, chart string) bool {
	return slices.ContainsFunc(id.grants, func(g *grant) bool {
		return g.covers(right, repository) && matches(g.Charts, chart)
	})
}

// MaySome reports whether id has a right on charts of some names.
func (id Identity) MaySome(right Right, repository string) bool {
	return slices.ContainsFunc(id.grants, func(g *grant) bool { return g.covers(right, repository) })
}

// MayNothing reports whether id has no right at all.
func (id Identity) MayNothing() bool { return len(id.grants) == 0 }

// Readable returns the globs of the charts that id may read, or that those are all.
func (id Identity) Readable(repository string) (globs []string, all bool) {
	for _, g := range id.grants {
		if g.covers(Read, repository) {
			globs, all = append(globs, g.Charts...), all || len(g.Charts) == 0
		}
	}
	slices.Sort(globs)
	return slices.Compact(globs), all
}

// Matches reports whether one of the globs matches name. * alone matches everything,
// names with slashes too.
func Matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, _ := path.Match(glob, name)
		return ok || glob == "*"
	})
}

// grant is rights on charts, for names. An empty list of globs matches everything.
type grant struct {
	Names        []string `yaml:"names"`
	Rights       []Right  `yaml:"rights"`
	Charts       []string `yaml:"charts"`
	Repositories []string `yaml:"repositories"`

	line int // in an access file
}

// covers is about the repositories; in the files the root one is /.
func (g *grant) covers(right Right, repository string) bool {
	return slices.Contains(g.Rights, right) && matches(g.Repositories, cmp.Or(repository, "/"))
}

// matches is Matches, and true for no globs.
func matches(globs []string, name string) bool { return len(globs) == 0 || Matches(globs, name) }
