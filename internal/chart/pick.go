package chart

import (
	"cmp"
	"errors"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Pick is a chart, and which versions of it: what people write as NAME or
// NAME@CONSTRAINT.
type Pick struct{ Name, Constraint string } // no constraint: any version

// ParsePick reads NAME or NAME@CONSTRAINT.
func ParsePick(s string) (Pick, error) {
	name, constraint, at := strings.Cut(s, "@")
	p := Pick{strings.TrimSpace(name), strings.TrimSpace(constraint)}
	if p.Name == "" || strings.ContainsAny(p.Name, "/*? ") || (at && p.Constraint == "") {
		return p, errors.New("write NAME or NAME@CONSTRAINT, such as nova@^1.2.0")
	}
	_, err := p.Versions(false)
	return p, err
}

func (p Pick) String() string {
	if p.Constraint == "" {
		return p.Name
	}
	return p.Name + "@" + p.Constraint
}

// Versions reads the constraint, within the bounds of a dependency's. With devel it takes
// prereleases too.
func (p Pick) Versions(devel bool) (*semver.Constraints, error) {
	c, err := (&Dependency{Name: p.Name, Version: cmp.Or(p.Constraint, "*")}).Constraint()
	if err != nil {
		return nil, err
	}
	c.IncludePrerelease = c.IncludePrerelease || devel
	return c, nil
}

// Names reports whether the pick names the version exactly.
func (p Pick) Names(version string) bool { return p.Constraint != "" && Exact(p.Constraint) == version }
