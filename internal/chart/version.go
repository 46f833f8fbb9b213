package chart

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// CompareVersions orders chart versions by semantic version precedence. Versions of
// equal precedence are ordered by their build metadata, with the rules that semantic
// versioning has for prereleases, so that "1.0.0+9" is older than "1.0.0+100"; what
// is still equal ("1.0" and "v1.0.0"), by text, so that the order is total. What
// Helm can't read as a version sorts below everything else, by its text. The result
// is below zero when a is older than b, zero when they are the same text.
func CompareVersions(a, b string) int {
	if a == b {
		return 0
	}
	va, vb := parseVersion(a), parseVersion(b)
	if n := comparePrecedence(va, vb); n != 0 {
		return n
	}
	if va != nil {
		if n := compareBuilds(va, vb); n != 0 {
			return n
		}
	}
	return strings.Compare(a, b)
}

// ComparePrecedence is CompareVersions without what decides among versions of equal
// precedence: those are zero, as is all that Helm can't read as a version.
func ComparePrecedence(a, b string) int { return comparePrecedence(parseVersion(a), parseVersion(b)) }

func comparePrecedence(a, b *semver.Version) int {
	switch {
	case a != nil && b != nil:
		return a.Compare(b)
	case a != nil:
		return 1
	case b != nil:
		return -1
	}
	return 0
}

func compareBuilds(a, b *semver.Version) int {
	x, y := buildOf(a), buildOf(b)
	if n := x.Compare(y); n == -y.Compare(x) {
		return n
	}
	return strings.Compare(a.Metadata(), b.Metadata()) // of 009 and 9 each is less than the other
}

// buildOf returns v's build metadata as a prerelease, which is compared. The 0 in front
// makes a version without any the oldest.
func buildOf(v *semver.Version) *semver.Version {
	return semver.New(0, 0, 0, strings.TrimSuffix("0."+v.Metadata(), "."), "")
}

// parseVersion returns nil where s is no version. Nearly all are written in full, and
// to read those strictly takes a fifth of the time.
func parseVersion(s string) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	if err != nil {
		v, _ = semver.NewVersion(s)
	}
	return v
}

// Exact returns the version that constraint names, if it names one at all: who asks
// for "1.0.0+a" gets that one and not another build of 1.0.0, which meets the
// constraint too. Helm looks for it first in an index (IndexFile.Get, pkg/repo/v1).
func Exact(constraint string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(constraint), "="))
}
