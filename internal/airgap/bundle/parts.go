package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	list  string   // the list of checksums; "": there is none
	sums  []string // of part 1, 2, ...
}

// findParts makes the list of a bundle's parts, in their order, of one bundle's
// file, or of some of its parts or the list of their checksums: what was not named
// is looked for beside. Errors are *chart.Error of kind ErrMissing, ErrForeign or
// ErrDamaged, or those of the file system.
func findParts(paths []string) ([]part, error) {
	switch {
	case len(paths) == 0:
		return nil, errors.New("no bundle is named")
	case len(paths) == 1 && paths[0] == "-":
		return []part{{path: "-", size: -1}}, nil
	case len(paths) == 1 && !namesParts(paths[0]):
		p, err := statPart(paths[0])
		if first := partName(paths[0], 1); errors.Is(err, fs.ErrNotExist) && exists(first) {
			return findParts([]string{first})
		}
		return []part{p}, err
	}
	set := &partSet{given: map[int]string{}}
	for _, path := range paths {
		if err := set.add(path); err != nil {
			return nil, err
		}
	}
	for _, dir := range set.dirs {
		if list := filepath.Join(dir, set.stem+sumsExt); set.list == "" && exists(list) {
			set.list = list
		}
	}
	if set.list != "" {
		var err error
		if set.sums, err = readSums(set.list, set.stem); err != nil {
			return nil, err
		}
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
	stem, _, ok := splitPart(path)
	return ok && (exists(partName(stem, 1)) || exists(stem+sumsExt) || !beginsBundle(path))
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
		stem, n, ok, s.list = cut, 0, true, path
	}
	if len(s.dirs) == 0 {
		s.stem = stem
	}
	if !ok || stem != s.stem {
		return finding(ErrForeign, path, "is no part of the same bundle as the others",
			"name the parts of one bundle, its first part alone, or its "+sumsExt+" file")
	}
	s.dirs = append(s.dirs, dir)
	if n == 0 {
		return nil
	}
	if other, twice := s.given[n]; twice && other != path {
		return finding(ErrForeign, path, "is the same part as "+other, "name one of them")
	}
	s.given[n] = path
	return nil
}

// collect finds each part, by the list of checksums where there is one, else as
// far as the numbers go.
func (s *partSet) collect() ([]part, error) {
	last := 0
	for n := range s.given {
		last = max(last, n)
	}
	if count := len(s.sums); count > 0 {
		if last > count {
			return nil, finding(ErrForeign, s.given[last], fmt.Sprintf("the bundle has %d parts only, by %s", count, s.list), "leave it out")
		}
		last = count
	}
	var parts []part
	for n := 1; n <= last || s.list == ""; n++ {
		p, err := s.find(n)
		switch {
		case errors.Is(err, fs.ErrNotExist) && n > last:
			return parts, nil
		case errors.Is(err, fs.ErrNotExist):
			return nil, finding(ErrMissing, filepath.Join(s.dirs[0], partName(s.stem, n)), "this part is not there", "copy it beside the others, or name it")
		case err != nil:
			return nil, err
		case n > maxParts:
			return nil, finding(ErrForeign, s.stem, "has too many parts", "make the bundle with a larger --split")
		}
		if s.list != "" {
			p.sum = s.sums[n-1]
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// find returns part n: the one that was named, else one beside the others.
func (s *partSet) find(n int) (p part, err error) {
	if path, ok := s.given[n]; ok {
		return statPart(path)
	}
	for _, dir := range s.dirs {
		if p, err = statPart(filepath.Join(dir, partName(s.stem, n))); err == nil {
			break
		}
	}
	return p, err
}

func statPart(path string) (part, error) {
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		return part{}, err
	case fi.IsDir():
		return part{}, finding(ErrNotBundle, path, "is a directory", "name a bundle's file, or its parts")
	case !fi.Mode().IsRegular():
		return part{path: path, size: -1}, nil // a pipe
	}
	return part{path: path, size: fi.Size()}, nil
}

// checkSizes finds the part that was cut short without reading any: all but the last,
// which may be smaller, have one size.
func checkSizes(parts []part) error {
	last := len(parts) - 1
	full := slices.MaxFunc(parts[:max(last, 1)], func(a, b part) int { return cmp.Compare(a.size, b.size) })
	for i, p := range parts {
		if p.size > 0 && (p.size == full.size || p.size < full.size && i == last) {
			continue
		}
		problem := fmt.Sprintf("%d bytes, %s has %d", p.size, full.path, full.size)
		if p.size < full.size {
			problem = "is cut short: " + problem
		}
		return finding(ErrDamaged, p.path, problem, copyPart)
	}
	return nil
}

// sumsExt is the extension of the list of the parts' checksums, in the form that
// sha256sum writes and sha256sum -c reads.
const sumsExt = ".sha256"

// encodeSums lists the digests of stem's parts.
func encodeSums(stem string, digests []string) []byte {
	var b []byte
	for i, digest := range digests {
		b = fmt.Appendf(b, "%s  %s\n", digest, partName(stem, i+1))
	}
	return b
}

// maxSums bounds a list, in bytes: names of parts have at most 255.
const maxSums = maxParts * 400

// readSums reads the list of stem's parts: the SHA-256 in hex of part 1, 2, ...
func readSums(path, stem string) (sums []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, maxSums)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(string(data)) {
		digest, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		// Text and binary mode, and the names of a list that was written in another
		// directory, don't matter.
		name = strings.TrimLeft(name, " *")
		if want := partName(stem, len(sums)+1); !ok || !isDigest(digest) || name != want {
			return nil, finding(ErrDamaged, path, fmt.Sprintf("line %d is not the checksum of %s", len(sums)+1, want), copySums)
		}
		sums = append(sums, digest)
	}
	if len(sums) == 0 || len(sums) > maxParts {
		return nil, finding(ErrDamaged, path, fmt.Sprintf("lists %d parts", len(sums)), copySums)
	}
	return sums, nil
}
