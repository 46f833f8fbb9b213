package main

import (
	"path/filepath"
	"slices"
	"strings"
)

// outputs recognises the files that a command writes, by their absolute paths without
// links, so that no chart takes them in the next time; with parts also those whose names
// go on behind a dot, such as FILE.manifest and FILE.001.
func outputs(parts bool, files ...string) func(path string) bool {
	var known []string
	for _, file := range files {
		if file == "" {
			continue // none is written: it does not mean the working directory
		}
		dir, err := filepath.Abs(filepath.Dir(file))
		if err == nil {
			dir, err = filepath.EvalSymlinks(dir)
		}
		if err == nil { // else it can't be written either
			known = append(known, filepath.Join(dir, filepath.Base(file)))
		}
	}
	return func(path string) bool {
		return slices.ContainsFunc(known, func(file string) bool {
			rest, ok := strings.CutPrefix(path, file)
			return ok && (rest == "" || parts && rest[0] == '.' && !strings.Contains(rest, "/"))
		})
	}
}
