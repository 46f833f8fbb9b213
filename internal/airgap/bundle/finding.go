package bundle

import (
	"errors"
	"fmt"
)

// Kinds of findings, for errors.Is.
var (
	// ErrNotBundle is a file that is no bundle, or one of a newer format.
	ErrNotBundle = errors.New("not a bundle")
	// ErrDamaged is something that has other bytes than its manifest or checksum says.
	ErrDamaged = errors.New("damaged")
	// ErrMissing is a part, or a file of a bundle, that is not there.
	ErrMissing = errors.New("missing")
	// ErrForeign is a part or data that does not belong to the bundle.
	ErrForeign = errors.New("does not belong to the bundle")
	// ErrBase is a delta's base that is not there, or another one.
	ErrBase = errors.New("not the base")
	// ErrClash is a repository folder that has other bytes under a file's name.
	ErrClash = errors.New("other content is there")
	// ErrFolder is a repository folder that is not as its index.yaml says.
	ErrFolder = errors.New("the folder is not as its index says")
)

// Finding is one thing that is wrong, and what to do about it.
type Finding struct {
	// Kind is one of the Err values of this package.
	Kind error `json:"-"`
	// File is the path of a part, or a name inside the bundle or the folder.
	File string `json:"file"`
	// Part is the part that File lies in, "" in a bundle of one file.
	Part    string `json:"part,omitempty"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Error formats f on one line: FILE (in PART): PROBLEM (REMEDY).
func (f *Finding) Error() string {
	where := f.File
	if f.Part != "" {
		where += " (in " + f.Part + ")"
	}
	return fmt.Sprintf("%s: %s (%s)", where, f.Problem, f.Remedy)
}

// Unwrap gives the kind to errors.Is.
func (f *Finding) Unwrap() error { return f.Kind }

// Refused is the error of what was refused because of findings; never empty.
type Refused struct {
	Findings []*Finding
}

// Error is the first finding and how many more there are.
func (r *Refused) Error() string {
	text := r.Findings[0].Error()
	if more := len(r.Findings) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// Unwrap gives all findings to errors.Is and errors.As.
func (r *Refused) Unwrap() []error {
	errs := make([]error, len(r.Findings))
	for i, f := range r.Findings {
		errs[i] = f
	}
	return errs
}

// refused is nil without findings.
func refused(findings []*Finding) error {
	if len(findings) == 0 {
		return nil
	}
	return &Refused{findings}
}
