package repos

import (
	"fmt"
	"strings"
)

// Bounds of a name, which is a path of folders and a part of URLs.
const (
	maxName     = 200
	maxSegments = 8
)

// CheckName says what keeps name from being a repository's; nil: nothing does. A name is one
// segment or more, with slashes between them. A segment is of letters, digits, '-', '_' and
// '.', begins and ends with a letter or digit, and has no two dots in a row. It is
// none of the words that have a meaning of their own in URLs, in reserved or in the list
// here, and does not end as the files do that a repository has.
func CheckName(name string, reserved ...string) error {
	if len(name) > maxName || strings.Count(name, "/") >= maxSegments {
		return fmt.Errorf("the name is too long (write at most %d letters, and %d segments)", maxName, maxSegments)
	}
	for segment := range strings.SplitSeq(name, "/") {
		if !isSegment(segment) {
			return fmt.Errorf("%q can't stand in a name (write letters, digits, '-', '_' and '.', first and last a letter or digit)", segment)
		}
		if isReserved(segment, reserved) {
			return fmt.Errorf("%q has a meaning of its own in URLs (choose another name)", segment)
		}
	}
	return nil
}

func isSegment(s string) bool {
	if s == "" || strings.Contains(s, "..") || !isAlphanumeric(s[0]) || !isAlphanumeric(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.ContainsRune("-_.", rune(s[i])) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// isReserved ignores case, because some file systems do.
func isReserved(segment string, more []string) bool {
	s := strings.ToLower(segment)
	switch s {
	case "api", "charts", "prov", "by-digest", "index", "health", "info", "healthz", "readyz", "status", "metrics", "static", "v2",
		"chart", "graph", "operations", "events":
		return true
	}
	for _, end := range []string{".tgz", ".prov", ".yaml", ".yml", ".json", ".html", ".svg", ".css", ".js", ".atom", ".xml"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	for _, word := range more {
		if strings.EqualFold(word, segment) {
			return true
		}
	}
	return false
}

// nested reports whether one name is the other's, or begins it.
func nested(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
