package pkgr

import (
	"archive/tar"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"chartserve/internal/chart"
)

// unpacking reads one archive, at the top or nested in another. There is no other
// reader: Check and Read differ in what they keep, not in what they look at, and
// Structure looks at less.
type unpacking struct {
	checker *Checker
	budget  *budget
	// keep reports whether the content of a file is wanted by the caller. Names are
	// relative to the chart or sub-chart that the file belongs to.
	keep    func(name string) bool
	shallow bool // only what identifies the chart is looked into, see Structure
	source  bool // the chart is to be packaged again, see assembler
	depth   int  // how many charts it lies in

	stream  *stream
	top     string // the archive's top directory
	files   []File
	nested  map[string]*Chart
	created time.Time
	// bad is the first content that Helm would refuse. It waits until the whole
	// archive has been read: where the archive is damaged, this is why.
	bad error
}

// read reads the archive to its end and makes a Chart of it. The chart's files have
// the contents that decide what it is, and those that u.keep wants.
func (u *unpacking) read(r io.Reader) (*Chart, *Info, error) {
	u.stream = u.checker.streams.Get().(*stream)
	defer u.checker.streams.Put(u.stream)
	defer u.stream.release()
	if err := u.stream.reset(r, u.budget); err != nil {
		return nil, nil, err
	}
	if err := u.members(u.stream.tar); err != nil {
		return nil, nil, err
	}
	if err := u.stream.drain(); err != nil {
		return nil, nil, err
	}
	if u.bad != nil {
		return nil, nil, u.bad
	}
	if err := u.arrange(); err != nil {
		return nil, nil, err
	}
	a := &assembler{checker: u.checker, budget: u.budget, source: u.source, judged: true, nested: u.nested}
	c, err := a.chart("", u.files, u.depth)
	if err != nil {
		return nil, nil, err
	}
	if u.depth == 0 {
		u.budget.warnOfSize()
		c.Warnings = append(c.Warnings, u.budget.warnings...)
	}
	return c, &Info{
		Metadata: c.Metadata, Warnings: c.Warnings, Created: u.created,
		Digest: hex.EncodeToString(u.stream.raw.hash.Sum(nil)), Size: u.stream.raw.n,
	}, nil
}

// members takes all members in. Where one is refused, the rest is searched for a
// Chart.yaml: without one the archive is none of a chart, whatever else is wrong with it.
func (u *unpacking) members(tr *tar.Reader) error {
	var refused error
	isChart, empty := false, true
	for refused == nil || !isChart {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return u.stream.explain(err)
		}
		if err := u.budget.count(); err != nil {
			return err
		}
		empty = empty && h.FileInfo().IsDir()
		isChart = isChart || isMetadata(h.Name)
		if refused == nil {
			refused = u.member(h, tr)
		}
	}
	if !isChart && !empty {
		e := chart.Refuse(chart.ErrMetadata, chart.MetadataFile, "missing: there is none in a top directory of the archive", "every chart needs one; `helm create` writes an example")
		e.Err = ErrNoChart
		return e
	}
	return refused
}

// isMetadata reports whether the member of that name may be meant as the Chart.yaml of a
// chart that the archive holds.
func isMetadata(name string) bool {
	dir, base := path.Split(path.Clean(strings.ReplaceAll(name, `\`, "/")))
	return strings.EqualFold(base, chart.MetadataFile) && strings.Count(dir, "/") <= 1
}

// archive reads an archive that lies in the charts/ of the chart at dir.
func (u *unpacking) archive(name, dir string, body io.Reader) error {
	n := &unpacking{
		checker: u.checker, budget: u.budget, keep: u.keep, source: u.source,
		depth: u.depth + strings.Count(dir, "/")/2 + 1,
	}
	if n.depth > maxDepth {
		return errTooDeep(name)
	}
	c, _, err := n.read(body)
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
	u.nested[name] = c
	u.files = append(u.files, File{Name: name})
	return nil
}

// note keeps the first error for later. What was refused for its cost stays so.
func (u *unpacking) note(err error) {
	if u.bad == nil {
		u.bad = err
	}
}

// arrange brings the files into the order of a directory walk and resolves
// duplicates. Of two templates with one name the later is the file, as for tar and
// Helm. A second file that decides something is refused: Helm 3 and 4 lay one
// Chart.yaml or requirements.yaml over the other, need each of two locks or values
// to be good, and take the first of two archives in charts/, where tar takes the
// last.
func (u *unpacking) arrange() error {
	if u.top == "" {
		return archiveError("no files in it", "")
	}
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
		if dir, rest, _ := place(f.Name); decides(rest) || isNested(rest) {
			return twice(f.Name, dir != "")
		}
		kept[len(kept)-1] = f
	}
	u.files = kept
	hasMetadata := func(f File) bool { return f.Name == chart.MetadataFile }
	if u.top == "." && !slices.ContainsFunc(u.files, hasMetadata) {
		return badName("./", `Chart.yaml must follow "./" directly, or the chart's directory come first`)
	}
	return nil
}

// twice refuses a second file of that name.
func twice(name string, below bool) error {
	e := chart.Refuse(chart.ErrArchive, name, "it is in the archive twice", "package the chart again")
	if below {
		e.Remedy = "Helm writes such archives of charts that take two versions of one chart; `chartserve package` on the chart's source makes a good one"
	}
	return e
}

// decides reports whether Helm parses the file of that name in a chart, so that
// what the chart is, or whether it loads at all, depends on it.
func decides(name string) bool {
	switch name {
	case chart.MetadataFile, chart.LockFile, chart.RequirementsFile, chart.RequirementsLockFile, valuesFile, schemaFile:
		return true
	}
	return false
}

// isNested reports whether the file of that name in a chart is a sub-chart's archive.
func isNested(name string) bool {
	return strings.HasPrefix(name, "charts/") && path.Ext(name) == ".tgz"
}
