package chart

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// bom is the byte order mark.
const bom = "\uFEFF"

// defaultIgnore is Helm's built-in rule.
const defaultIgnore = "templates/.?*"

// Bounds of ours: every file is held against every rule.
const (
	maxIgnoreRules = 10_000
	// MaxIgnoreEffort is how much work the names of one chart may be, see Effort:
	// about a second.
	MaxIgnoreEffort = 100_000_000
)

// Ignore is the rules of a .helmignore, exactly Helm's (pkg/ignore/rules.go):
// the first rule that matches decides, "!PATTERN" leaves out everything that
// does not match, and "**" is refused. Make one with ParseIgnore; it is immutable
// and safe for concurrent use.
type Ignore struct {
	rules []ignoreRule
	// Rules with wildcards, for the whole name and for its last element.
	paths, bases int
}

type ignoreRule struct {
	pattern string
	negate  bool // leave out what does not match
	dirOnly bool // match directories alone
	literal bool // no wildcards
	base    bool // match the last element of the name, at any depth
}

// ParseIgnore reads a .helmignore; nil data means the built-in rule alone. The
// error is an *Error of kind ErrIgnore that names the line.
func ParseIgnore(data []byte) (*Ignore, error) {
	if err := checkSize(ErrIgnore, IgnoreFile, data); err != nil {
		return nil, err
	}
	ignore := new(Ignore)
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte(bom))))
	n := 0
	for lines.Scan() {
		n++
		rule := strings.TrimSpace(lines.Text())
		if rule == "" || strings.HasPrefix(rule, "#") {
			continue
		}
		if err := checkIgnoreRule(n, rule); err != nil {
			return nil, err
		}
		ignore.add(rule)
		if len(ignore.rules) > maxIgnoreRules {
			return nil, &Error{Kind: ErrIgnore, File: IgnoreFile, Reason: fmt.Sprintf("more than %d rules", maxIgnoreRules), Err: ErrLimit}
		}
	}
	if err := lines.Err(); err != nil { // a line over 64 KiB
		return nil, &Error{Kind: ErrIgnore, File: IgnoreFile, Field: fmt.Sprintf("line %d", n+1), Err: err}
	}
	ignore.add(defaultIgnore)
	return ignore, nil
}

func (i *Ignore) add(rule string) {
	r := parseIgnoreRule(rule)
	i.rules = append(i.rules, r)
	switch {
	case r.literal:
	case r.base:
		i.bases++
	default:
		i.paths++
	}
}

// Effort is how much work it is to match name: one for each rule, and for one with
// wildcards as much as the text is long that it is tried on at every place. Who
// matches many names stops beyond MaxIgnoreEffort.
func (i *Ignore) Effort(name string) int {
	return len(i.rules) + i.paths*len(name) + i.bases*len(path.Base(name))
}

// checkIgnoreRule refuses what Helm refuses, and as early: before "!" and the
// slashes are taken off. filepath.Match, which Helm uses, gives up at the first
// difference and so lets "x*[" pass; path.Match reads such a pattern to its end. On
// Windows filepath.Match takes a backslash for a separator: charts are refused too much there
// rather than packaged otherwise.
func checkIgnoreRule(line int, rule string) error {
	e := &Error{Kind: ErrIgnore, File: IgnoreFile, Field: fmt.Sprintf("line %d", line), Value: rule}
	if strings.Contains(rule, "**") {
		e.Reason = "Helm has no double star"
		e.Remedy = "a pattern without a slash matches at any depth"
		return e
	}
	match := filepath.Match
	if runtime.GOOS == "windows" {
		match = path.Match
	}
	if _, err := match(rule, "abc"); err != nil {
		e.Reason, e.Err = "not a pattern", err
		e.Remedy = "close the bracket, or put a backslash before it"
		return e
	}
	return nil
}

func parseIgnoreRule(s string) ignoreRule {
	var r ignoreRule
	s, r.negate = strings.CutPrefix(s, "!")
	s, r.dirOnly = strings.CutSuffix(s, "/")
	s, anchored := strings.CutPrefix(s, "/")
	r.pattern = s
	r.base = !anchored && !strings.Contains(s, "/")
	r.literal = !strings.ContainsAny(s, `*?[\`)
	return r
}

// Match reports whether name is left out of the chart. name is slash-separated and
// relative to the chart; dir says that it is a directory, and then everything
// below it is left out too, unseen: callers must not go into it.
func (i *Ignore) Match(name string, dir bool) bool {
	if name == "" || name == "." || name == "./" {
		return false
	}
	for _, r := range i.rules {
		matched := (dir || !r.dirOnly) && r.match(name)
		if matched != r.negate {
			return true
		}
	}
	return false
}

func (r ignoreRule) match(name string) bool {
	if r.base {
		name = path.Base(name)
	}
	if r.literal {
		return name == r.pattern
	}
	// A pattern can turn out bad only here ("x*[", "a\/"): then it matches nothing.
	ok, err := path.Match(r.pattern, name)
	return err == nil && ok
}
