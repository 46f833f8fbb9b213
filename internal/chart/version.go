package chart

import (
	"cmp"
	"strconv"
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
	va, okA := parseVersion(a)
	vb, okB := parseVersion(b)
	return cmp.Or(comparePrecedence(va, vb, okA, okB), compareIdentifiers(va.build, vb.build), strings.Compare(a, b))
}

// ComparePrecedence is CompareVersions without what decides among versions of equal
// precedence: those are zero, as is all that Helm can't read as a version.
func ComparePrecedence(a, b string) int {
	va, okA := parseVersion(a)
	vb, okB := parseVersion(b)
	return comparePrecedence(va, vb, okA, okB)
}

func comparePrecedence(a, b version, okA, okB bool) int {
	switch {
	case okA && !okB:
		return 1
	case !okA && okB:
		return -1
	case !okA:
		return 0
	}
	return a.compare(b)
}

// Exact returns the version that constraint names, if it names one at all: who asks
// for "1.0.0+a" gets that one and not another build of 1.0.0, which meets the
// constraint too. Helm looks for it first in an index (IndexFile.Get, pkg/repo/v1).
func Exact(constraint string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(constraint), "="))
}

// version is what counts for precedence, and build, which does not. Masterminds/semver has the same, but
// goes through regular expressions: sorting needs something 20 times faster. A
// fuzz test holds the two together.
type version struct {
	major, minor, patch uint64
	pre, build          string
}

// parseVersion reads v[MAJOR[.MINOR[.PATCH]]][-PRE][+BUILD] as semver.NewVersion
// does: the v may be missing, and leading zeros in the numbers are tolerated.
func parseVersion(s string) (v version, ok bool) {
	if len(s) > semver.MaxVersionLen {
		return v, false
	}
	s = strings.TrimPrefix(s, "v")
	s, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !identifiers(build, false) {
		return v, false
	}
	s, pre, hasPre := strings.Cut(s, "-")
	if hasPre && !identifiers(pre, true) {
		return v, false
	}
	w := version{pre: pre, build: build}
	more := true
	for _, n := range []*uint64{&w.major, &w.minor, &w.patch} {
		if !more {
			break // 1 and 1.2 are versions too
		}
		var digits string
		digits, s, more = strings.Cut(s, ".")
		var err error
		if *n, err = strconv.ParseUint(digits, 10, 64); err != nil {
			return v, false
		}
	}
	if more {
		return v, false
	}
	return w, true
}

// identifiers reports whether s is one or more identifiers joined by dots. In a
// prerelease a number must not start with a zero.
func identifiers(s string, prerelease bool) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" {
			return false
		}
		number := true
		for _, c := range []byte(id) {
			switch {
			case '0' <= c && c <= '9':
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-':
				number = false
			default:
				return false
			}
		}
		if prerelease && number && len(id) > 1 && id[0] == '0' {
			return false
		}
	}
	return true
}

func (v version) compare(w version) int {
	if c := cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)); c != 0 {
		return c
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "": // a release is newer than its prereleases
		return 1
	case w.pre == "":
		return -1
	}
	return compareIdentifiers(v.pre, w.pre)
}

// compareIdentifiers compares dotted identifiers as those of a prerelease.
func compareIdentifiers(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := compareIdentifier(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b)) // fewer identifiers are older
}

// compareIdentifier puts numbers below words. A number that does not fit 64 bits
// is a word, as in Masterminds/semver.
func compareIdentifier(a, b string) int {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Compare(x, y)
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}
