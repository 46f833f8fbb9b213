// Package settings reads files of settings: a YAML mapping of names to values, each with
// its line. It knows the form of such a file only; cmd/chartserve knows which keys exist and
// what their values may be.
//
// A file is small, and says each thing once in one place: there are no anchors, no merge
// keys, no tags and no nested mappings. No error holds a value, which may be a secret.
package settings

import (
	"errors"
	"fmt"
	"os"

	"chartserve/internal/chart"
)

// Kind is what YAML takes a value for.
type Kind string

// The kinds of values. Null is an empty value too, and an empty list.
const (
	Null   Kind = "nothing"
	Bool   Kind = "true or false"
	Number Kind = "a number"
	String Kind = "a text"
	List   Kind = "a list of texts"
)

// Setting is a key and its value.
type Setting struct {
	Key  string
	Line int // from 1
	Kind Kind
	// Values are the texts of a List, else the one value as a flag reads it: true or
	// false, a decimal number, the text. Null has none.
	Values []string
}

// Error is what is wrong in a file.
type Error struct {
	File   string // empty until Read
	Line   int    // from 1; 0: the file as a whole
	Key    string // empty: no key in particular
	Reason string // with what to do
}

func (e Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		at += ": " + e.Key
	}
	return at + ": " + e.Reason
}

// MaxSize bounds a file, in bytes.
const MaxSize = 256 << 10

// Read reads the file of that name, which may be a pipe. The errors are Errors, but for
// those of opening and reading; with any there are no settings.
func Read(name string) ([]Setting, []error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, []error{fmt.Errorf("settings file: %w (name another, or none)", err)}
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, MaxSize)
	if err != nil {
		return nil, []error{fmt.Errorf("settings file %s: %w", name, err)}
	}
	all, wrong := Parse(data)
	errs := make([]error, len(wrong))
	for i := range wrong {
		wrong[i].File = name
		errs[i] = wrong[i]
	}
	return all, errs
}

// Parse reads a file's content: all that is wrong with it, or the settings in the file's order.
func Parse(data []byte) (all []Setting, wrong []Error) {
	root, err := document(data)
	if bad := new(Error); errors.As(err, bad) {
		return nil, []Error{*bad}
	}
	if root == nil {
		return nil, nil
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		s, err := setting(root.Content[i], root.Content[i+1])
		if first := lines[s.Key]; first != 0 && err == nil {
			err = wrongAt(root.Content[i], s.Key, fmt.Sprintf("it is in line %d too (keep one of them)", first))
		}
		if bad := new(Error); errors.As(err, bad) {
			wrong = append(wrong, *bad)
			continue
		}
		lines[s.Key] = s.Line
		all = append(all, s)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return all, nil
}
