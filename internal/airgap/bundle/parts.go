package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"chartserve/internal/chart"
)

// maxParts bounds the parts of a bundle.
const maxParts = 100_000

// part is one file that a bundle was cut into, or the only one.
type part struct {
	path string // "-" is standard input
	size int64  // -1 when it can't be known before
	sum  string // SHA-256 in hex, "" when there is no list of checksums
}

// partName is what Output calls part n of stem.
func partName(stem string, n int) string { return fmt.Sprintf("%s.%03d", stem, n) }

// splitPart takes a part's number off its name. It is anything's last digits: a
// version's "1.000", too, so ok alone does not make a part.
func splitPart(name string) (stem string, n int, ok bool) {
	m := regexp.MustCompile(`^(.+)\.(\d{3,6})$`).FindStringSubmatch(name)
	if m == nil {
		return "", 0, false
	}
	n, err := strconv.Atoi(m[2])
	return m[1], n, err == nil && n > 0 && partName(m[1], n) == name
}

// partSet is what the paths on a command line mean.
type partSet struct {
	stem  string
	given map[int]string
	dirs  []string // where to look for those that were not named
	sums  *checksums
}

// findParts makes the list of a bundle's parts, in their order, of one bundle's
// file, or of some of its parts or the list of their checksums: what was not named
// is looked for beside. Errors are *chart.Error of kind ErrMissing, ErrForeign or
// ErrDamaged, or those of the file system.
func findParts(paths []string) ([]part, error) {
	if len(paths) == 0 {
		return nil, errors.New("no bundle is named")
	}
	if len(paths) == 1 {
		if paths[0] == "-" {
			return []part{{path: "-", size: -1}}, nil
		}
		if !namesParts(paths[0]) {
			p, err := statPart(paths[0])
			if first := partName(paths[0], 1); errors.Is(err, fs.ErrNotExist) && exists(first) {
				return findParts([]string{first})
			}
			return []part{p}, err
		}
	}
	set := &partSet{given: map[int]string{}}
	for _, path := range paths {
		if err := set.add(path); err != nil {
			return nil, err
		}
	}
	if err := set.findSums(); err != nil {
		return nil, err
	}
	parts, err := set.collect()
	if err != nil {
		return nil, err
	}
	return parts, checkSizes(parts)
}

// namesParts tells a part, or the list of checksums, from a whole bundle whose name
// happens to end in digits.
func namesParts(path string) bool {
	if filepath.Ext(path) == sumsExt {
		return true
	}
	stem, n, ok := splitPart(path)
	return ok && (n == 1 || exists(partName(stem, 1)) || exists(stem+sumsExt) || !beginsBundle(path))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// beginsBundle reports whether a file has the first member's name at its start.
func beginsBundle(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, len(ManifestName))
	_, err = io.ReadFull(f, start)
	return err == nil && string(start) == ManifestName
}

// add sorts one path of the command line in.
func (s *partSet) add(path string) error {
	dir, base := filepath.Split(path)
	stem, n, ok := splitPart(base)
	if cut, isSums := strings.CutSuffix(base, sumsExt); isSums {
		sums, err := readSums(path, cut)
		if err != nil {
			return err
		}
		stem, n, ok, s.sums = cut, 0, true, sums
	}
	if s.stem == "" {
		s.stem = stem
	}
	if !ok || stem != s.stem {
		return &chart.Error{
			Kind: ErrForeign, File: path, Reason: "is no part of the same bundle as " + s.first(),
			Remedy: "name the parts of one bundle, its first part alone, or its " + sumsExt + " file",
		}
	}
	s.dirs = append(s.dirs, dir)
	if n == 0 {
		return nil
	}
	if other, twice := s.given[n]; twice && other != path {
		return &chart.Error{Kind: ErrForeign, File: path, Reason: "is the same part as " + other, Remedy: "name one of them"}
	}
	s.given[n] = path
	return nil
}

func (s *partSet) first() string {
	if s.stem == "" {
		return "the others"
	}
	return s.stem
}

// findSums looks for the list of checksums beside the parts; there may be none.
func (s *partSet) findSums() error {
	for _, dir := range s.dirs {
		if s.sums != nil {
			return nil
		}
		sums, err := readSums(filepath.Join(dir, s.stem+sumsExt), s.stem)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.sums = sums
	}
	return nil
}

// collect finds each part, by the list of checksums where there is one, else as
// far as the numbers go.
func (s *partSet) collect() ([]part, error) {
	last := 0
	for n := range s.given {
		last = max(last, n)
	}
	if s.sums != nil {
		if count := len(s.sums.parts); last > count {
			return nil, &chart.Error{
				Kind: ErrForeign, File: s.given[last], Reason: fmt.Sprintf("the bundle has %d parts only, by %s", count, s.sums.path),
				Remedy: "leave it out",
			}
		}
		last = len(s.sums.parts)
	}
	var parts []part
	for n := 1; n <= maxParts; n++ {
		p, err := s.find(n)
		switch {
		case err == nil && (s.sums == nil || n <= last):
			parts = append(parts, p)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case n > last:
			return parts, nil
		default:
			return nil, &chart.Error{
				Kind: ErrMissing, File: filepath.Join(s.dirs[0], partName(s.stem, n)), Reason: "this part is not there",
				Remedy: "copy it beside the others, or name it",
			}
		}
	}
	return nil, &chart.Error{Kind: ErrForeign, File: s.stem, Reason: "has too many parts", Remedy: "make the bundle with a larger --split"}
}

// find returns part n: the one that was named, else one beside the others.
func (s *partSet) find(n int) (p part, err error) {
	if path, ok := s.given[n]; ok {
		p, err = statPart(path)
	} else {
		for _, dir := range s.dirs {
			if p, err = statPart(filepath.Join(dir, partName(s.stem, n))); err == nil {
				break
			}
		}
	}
	if s.sums != nil && n <= len(s.sums.parts) {
		p.sum = s.sums.parts[n-1]
	}
	return p, err
}

func statPart(path string) (part, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return part{}, err
	}
	if fi.IsDir() {
		return part{}, &chart.Error{Kind: ErrNotBundle, File: path, Reason: "is a directory", Remedy: "name a bundle's file, or its parts"}
	}
	p := part{path: path, size: fi.Size()}
	if !fi.Mode().IsRegular() {
		p.size = -1 // a pipe
	}
	return p, nil
}

// checkSizes finds the part that was cut short without reading any: all but the
// last have the same size.
func checkSizes(parts []part) error {
	for i, p := range parts {
		last := i == len(parts)-1
		if p.size == parts[0].size && p.size > 0 || last && p.size < parts[0].size && p.size > 0 {
			continue
		}
		short := p.path
		if p.size > parts[0].size && !last {
			short = parts[0].path
		}
		problem := fmt.Sprintf("%d bytes, %s has %d", p.size, parts[0].path, parts[0].size)
		if short != p.path || p.size == 0 {
			problem = "is cut short"
		}
		return &chart.Error{Kind: ErrDamaged, File: short, Reason: problem, Remedy: "copy this part again"}
	}
	return nil
}
