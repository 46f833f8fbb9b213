package pkgr

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"chartserve/internal/chart"
)

// unpacking reads one archive, at the top or nested in another.
type unpacking struct {
	checker *Checker
	budget  *budget
	keep    bool                   // all contents, not only those that decide what the chart is
	part    func(name string) bool // nil: all; see ReadParts
	source  bool                   // the chart is to be packaged again, see assembler
	hashed  bool
	depth   int // how many charts it lies in

	stream  *stream
	top     string // the archive's top directory
	files   []File
	nested  map[string]*Chart
	created time.Time
	digest  [32]byte
	size    int64
	// bad is the first thing wrong with a content that is not kept. It waits until
	// the whole archive has been read: where that is damaged, this is why.
	bad error
}

// read reads the archive to its end and makes a Chart of it; without keep, that
// chart's Files are not to be used.
func (u *unpacking) read(r io.Reader) (*Chart, error) {
	u.stream = u.checker.streams.Get().(*stream)
	defer u.checker.streams.Put(u.stream)
	defer u.stream.release()
	if err := u.stream.reset(r, u.budget, u.hashed); err != nil {
		return nil, err
	}
	if err := u.members(u.stream.tar); err != nil {
		return nil, err
	}
	if err := u.stream.drain(); err != nil {
		return nil, err
	}
	u.size = u.stream.raw.n
	if u.hashed {
		u.stream.raw.hash.Sum(u.digest[:0])
	}
	if u.bad != nil {
		return nil, u.bad
	}
	if u.top == "" {
		return nil, archiveError("no files in it", "")
	}
	if err := u.arrange(); err != nil {
		return nil, err
	}
	a := &assembler{limits: u.budget.limits, source: u.source, nested: u.nested, budget: u.budget}
	c, err := a.chart("", u.files, u.depth)
	if err != nil {
		return nil, err
	}
	if u.depth == 0 {
		if total := u.budget.limits.Chart - u.budget.content; total >= HelmMaxChart {
			u.budget.warn(helmChartWarning(total))
		}
		c.Warnings = append(c.Warnings, u.budget.warnings...)
	}
	return c, nil
}

func (u *unpacking) members(tr *tar.Reader) error {
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return u.stream.explain(err)
		}
		if u.budget.members--; u.budget.members < 0 {
			return errTooMany()
		}
		if err := u.member(h, tr); err != nil {
			return err
		}
	}
}

// note keeps the first error for later.
func (u *unpacking) note(err error) {
	if u.bad == nil {
		u.bad = err
	}
}

// archive reads an archive that lies in the charts/ of the chart at dir.
func (u *unpacking) archive(name, dir string, body io.Reader) error {
	n := &unpacking{
		checker: u.checker, budget: u.budget, keep: u.keep, part: u.part, source: u.source,
		depth: u.depth + strings.Count(dir, "/")/2 + 1,
	}
	if n.depth > maxDepth {
		return errTooDeep(name)
	}
	c, err := n.read(body)
	if err != nil {
		err = inside(name+": ", err)
		if errors.Is(err, chart.ErrLimit) {
			return err
		}
		u.note(err)
		return nil
	}
	if u.nested == nil {
		u.nested = map[string]*Chart{}
	}
	if _, ok := u.nested[name]; !ok {
		u.nested[name] = c
		u.files = append(u.files, File{Name: name})
	}
	return nil
}

// arrange brings the files into the order of a directory walk and settles
// duplicates: of two members with one name the later is the file, as for tar and
// Helm, but what the chart is must not depend on that.
func (u *unpacking) arrange() error {
	byName := func(a, b File) int { return comparePaths(a.Name, b.Name) }
	if !slices.IsSortedFunc(u.files, byName) {
		slices.SortStableFunc(u.files, byName)
	}
	kept := u.files[:0]
	for _, f := range u.files {
		if len(kept) == 0 || kept[len(kept)-1].Name != f.Name {
			kept = append(kept, f)
			continue
		}
		if path.Base(f.Name) == chart.MetadataFile {
			if _, rest, _ := place(f.Name); rest == chart.MetadataFile {
				return &chart.Error{
					Kind: chart.ErrArchive, File: f.Name,
					Reason: "it is in the archive twice",
					Remedy: "package the chart again",
				}
			}
		}
		kept[len(kept)-1] = f
	}
	u.files = kept
	return nil
}
