package chart

import (
	"fmt"
	"regexp"
	"strings"
)

// Rewrites replace the repositories of dependencies: behind an air gap they lead to
// a mirror. The first that fits counts; nil replaces nothing.
type Rewrites []Rewrite

// Rewrite replaces one repository by another.
type Rewrite struct {
	// From is the repository as charts name it, but for slashes at its end, or
	// AnyRepository. To is what charts name instead.
	From, To string
}

// AnyRepository is a From that means every repository with an http, https or oci
// address.
const AnyRepository = "*"

// rewriteForm splits at the last "=" that an address follows: From may hold others.
var rewriteForm = regexp.MustCompile(`^(.+)=((?:https?|oci)://[^/\s]\S*)$`)

// ParseRewrite reads FROM=TO.
func ParseRewrite(s string) (Rewrite, error) {
	m := rewriteForm.FindStringSubmatch(s)
	if m == nil {
		return Rewrite{}, fmt.Errorf("%q is not FROM=TO, where TO begins with http://, https:// or oci:// (such as https://charts.example.com=http://mirror.example.com:8879/charts, or *=... for all)", s)
	}
	return Rewrite{From: m[1], To: m[2]}, nil
}

// String is FROM=TO.
func (r Rewrite) String() string { return r.From + "=" + r.To }

// Repository returns the replacement of a dependency's repository, and the repository
// itself when no rewrite fits.
func (rs Rewrites) Repository(repository string) string {
	for _, r := range rs {
		if r.From == AnyRepository && remoteAddress(repository) ||
			repository != "" && strings.TrimRight(r.From, "/") == strings.TrimRight(repository, "/") {
			return r.To
		}
	}
	return repository
}

func remoteAddress(repository string) bool {
	scheme, _, ok := strings.Cut(repository, "://")
	return ok && (scheme == "http" || scheme == "https" || scheme == "oci")
}

// Metadata returns md with its dependencies' repositories replaced: md itself when
// none is, else a copy.
func (rs Rewrites) Metadata(md *Metadata) *Metadata {
	deps, changed := rs.Dependencies(md.Dependencies)
	if !changed {
		return md
	}
	next := *md
	next.Dependencies = deps
	return &next
}

// Dependencies returns deps with their repositories replaced, and whether any was;
// deps stays as it is.
func (rs Rewrites) Dependencies(deps []*Dependency) (next []*Dependency, changed bool) {
	next = make([]*Dependency, len(deps))
	for i, d := range deps {
		next[i] = d
		if to := rs.Repository(d.Repository); to != d.Repository {
			replaced := *d
			replaced.Repository = to
			next[i], changed = &replaced, true
		}
	}
	return next, changed
}

// Lock returns l with its repositories replaced: l itself when none is, else a copy.
// A lock that is in sync with reqs, the dependencies of a chart of the given API
// version, is in sync with their replacements after.
func (rs Rewrites) Lock(l *Lock, reqs []*Dependency, apiVersion string) *Lock {
	if l == nil {
		return nil
	}
	deps, changedLock := rs.Dependencies(l.Dependencies)
	nextReqs, changedReqs := rs.Dependencies(reqs)
	if !changedLock && !changedReqs {
		return l
	}
	next := *l
	next.Dependencies = deps
	if l.InSync(reqs, apiVersion) {
		next.Digest = digestJSON([2][]*Dependency{nextReqs, deps})
	}
	return &next
}
