package diff

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// File is a file that is not the same in both versions.
type File struct {
	Name string
	From string // the name before, where Kind is Renamed
	Kind Kind
	// Before and After are sizes in bytes, 0 where there is no file.
	Before, After int
	// Binary is true where either content is no text: then there are no Hunks.
	Binary bool

	Text
}

// changedFiles returns the files that differ, sorted by name, without their texts.
func changedFiles(was, is map[string][]byte) (changed []File) {
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		before, had := was[name]
		after, has := is[name]
		f := File{Name: name, Kind: Changed, Before: len(before), After: len(after), Binary: !isText(before) || !isText(after)}
		switch {
		case !had:
			f.Kind = Added
		case !has:
			f.Kind = Removed
		case bytes.Equal(before, after):
			continue
		}
		changed = append(changed, f)
	}
	return renamed(changed, was, is)
}

// renamed makes one of a file that is gone and one that is new with the same bytes.
// Empty files are left alone.
func renamed(changed []File, was, is map[string][]byte) []File {
	gone := map[[sha256.Size]byte][]string{}
	for _, f := range changed {
		if f.Kind == Removed && f.Before > 0 {
			sum := sha256.Sum256(was[f.Name])
			gone[sum] = append(gone[sum], f.Name)
		}
	}
	if len(gone) == 0 {
		return changed
	}
	moved := map[string]bool{}
	for i := range changed {
		f := &changed[i]
		if f.Kind != Added {
			continue
		}
		sum := sha256.Sum256(is[f.Name])
		if names := gone[sum]; len(names) > 0 {
			f.Kind, f.From, f.Before = Renamed, names[0], f.After
			gone[sum], moved[names[0]] = names[1:], true
		}
	}
	return slices.DeleteFunc(changed, func(f File) bool { return f.Kind == Removed && moved[f.Name] })
}

// isText reports whether data can be shown line by line.
func isText(data []byte) bool { return bytes.IndexByte(data, 0) < 0 && utf8.Valid(data) }

// nth is name for the first, and name-2 for the second of that name.
func nth(name string, n int) string {
	if n == 1 {
		return name
	}
	return name + "-" + strconv.Itoa(n)
}
