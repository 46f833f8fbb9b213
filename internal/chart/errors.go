package chart

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kinds of errors, for errors.Is. Every *Error has one of them.
var (
	// ErrMetadata is a Chart.yaml that can't be read or that Helm would refuse.
	ErrMetadata = errors.New("bad chart metadata")
	// ErrDependency is a bad requirements.yaml, lock, dependency or constraint.
	ErrDependency = errors.New("bad chart dependency")
	// ErrIgnore is a .helmignore that Helm would refuse.
	ErrIgnore = errors.New("bad .helmignore")
	// ErrLimit is something too large or too many.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnsafe is a name or a link that leads out of where it belongs.
	ErrUnsafe = errors.New("unsafe name or link")
	// ErrArchive is an archive that is damaged or not a chart.
	ErrArchive = errors.New("bad chart archive")
	// ErrFile is any other file of a chart that can't be read or used.
	ErrFile = errors.New("bad chart file")
)

// maxShown is how many bytes of a user's text an error message repeats.
const maxShown = 80

// Error says what is wrong, where, and what to do about it: with a chart, or with a
// file of a repository or a bundle, whose commands list Errors as findings. Zero
// fields are left out of the message.
type Error struct {
	// Kind is one of the Err values of this package, or of the one that made the Error.
	Kind error `json:"-"`
	// Severity is zero for what fails.
	Severity Severity `json:"severity"`
	// File is relative to the chart, such as "Chart.yaml" or "charts/x.tgz", or to the
	// folder, or a name inside a bundle.
	File string `json:"file"`
	// Part is the part of a bundle that File lies in; empty where there is but one.
	Part string `json:"part,omitempty"`
	// Field is a path within File, such as "maintainers[0].name".
	Field string `json:"field,omitempty"`
	// Value is the offending text, unquoted and of any length.
	Value string `json:"-"`
	// Reason says what is wrong; when empty, Err's text stands in for it.
	Reason string `json:"problem"`
	// Remedy says what to do about it.
	Remedy string `json:"remedy"`
	// Err is the cause, where there is one.
	Err error `json:"-"`
}

// Refuse returns an Error that is about the whole file.
func Refuse(kind error, file, reason, remedy string) *Error {
	return &Error{Kind: kind, File: file, Reason: reason, Remedy: remedy}
}

// Error formats e on one line of bounded length, such as
//
//	Chart.yaml: version "1.2.3.4": not a semantic version (write MAJOR.MINOR.PATCH, such as 1.2.3)
func (e *Error) Error() string {
	where := plain(e.Field)
	if e.Value != "" {
		where = strings.TrimPrefix(where+" "+quote(e.Value), " ")
	}
	reason := e.Reason
	if reason == "" && e.Err != nil {
		reason = e.Err.Error()
	}
	if reason == "" && e.Kind != nil {
		reason = e.Kind.Error()
	}
	file := plain(e.File)
	if e.Part != "" {
		file += " (in " + plain(e.Part) + ")"
	}
	var parts []string
	for _, s := range []string{file, where, oneLine(reason)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	msg := strings.Join(parts, ": ")
	if e.Remedy != "" {
		msg += " (" + e.Remedy + ")"
	}
	return msg
}

// Unwrap returns the kind and the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// quote shows a user's text: always in quotes, cut when long.
func quote(s string) string {
	if cut := cut(s, maxShown); cut != s {
		return strconv.Quote(cut) + "..."
	}
	return strconv.Quote(s)
}

// plain shows a file or field name: quoted only when it is long or could garble
// a terminal or a log.
func plain(s string) string {
	const maxName = 4 * maxShown
	if len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unprintable) {
		return s
	}
	if cut := cut(s, maxName); cut != s {
		return strconv.Quote(cut) + "..."
	}
	return strconv.Quote(s)
}

// oneLine shows the text of another library's error, which may repeat a user's
// text: at most a few hundred bytes, no line breaks, nothing unprintable.
func oneLine(s string) string {
	const maxReason = 6 * maxShown
	s = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, s) // which also replaces what is not UTF-8
	if cut := cut(s, maxReason); cut != s {
		return cut + "..."
	}
	return s
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
