package chart

import "fmt"

// Severity says what an Error keeps from working.
type Severity int

const (
	// Failing is what a client fails at, or what proves that something was changed.
	Failing Severity = iota
	// Warning is what works, and perhaps not as it was meant.
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText is String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Errors are all that is wrong with one thing. As an error it is never empty; see Err.
type Errors []*Error

// Err returns the list as an error, and nil for an empty one.
func (list Errors) Err() error {
	if len(list) == 0 {
		return nil
	}
	return list
}

// Error returns the first and how many more there are.
func (list Errors) Error() string {
	text := list[0].Error()
	if more := len(list) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// Unwrap returns all of them, for errors.Is and errors.As.
func (list Errors) Unwrap() []error {
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errs
}

// Count returns how many have the severity s.
func (list Errors) Count(s Severity) int {
	n := 0
	for _, e := range list {
		if e.Severity == s {
			n++
		}
	}
	return n
}
