package pkgr

import (
	"archive/tar"
	"bytes"
	"encoding/json"
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
	keep    bool // all contents, not only those that decide what the chart is
	source  bool // the chart is to be packaged again, see assembler
	hashed  bool
	depth   int // how many charts it lies in

	stream  *stream
	top     string // the archive's top directory
	files   []File
	nested  map[string]*Chart
	created time.Time
	digest  [32]byte
	size    int64
}

// read reads the archive to its end and makes a Chart of it; without keep, that
// chart's Files are not to be used.
func (u *unpacking) read(r io.Reader) (*Chart, error) {
	u.stream = u.checker.streams.Get().(*stream)
	defer u.checker.streams.Put(u.stream)
	if err := u.stream.reset(r, u.budget, u.hashed); err != nil {
		return nil, err
	}
	if err := u.members(&u.stream.members); err != nil {
		return nil, err
	}
	if err := u.stream.drain(); err != nil {
		return nil, err
	}
	u.size = u.stream.raw.n
	if u.hashed {
		u.stream.raw.hash.Sum(u.digest[:0])
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

func (u *unpacking) members(tr *memberReader) error {
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

// member takes one member in.
func (u *unpacking) member(h *tar.Header, body io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if h.FileInfo().IsDir() {
		if strings.HasPrefix(h.Name, "/") || hasParent(h.Name) {
			return badName(h.Name, "a directory outside of the chart's")
		}
		return nil
	}
	top, name, err := memberName(h.Name)
	if err != nil {
		return err
	}
	if u.top == "" {
		u.top = top
	}
	if top != u.top {
		return &chart.Error{
			Kind: chart.ErrArchive, File: h.Name,
			Reason: "a second top directory beside " + u.top + "/",
			Remedy: "an archive holds one chart, in one directory",
		}
	}
	if err := u.kind(h, name); err != nil {
		return err
	}
	if err := u.budget.member(name, h.Size); err != nil {
		return err
	}
	if name == chart.MetadataFile {
		u.created = h.ModTime.UTC()
	}
	return u.content(name, h.Size, body)
}

// kind refuses members that are neither files nor harmless links. Helm reads all
// of these as empty files, tar would make them.
func (u *unpacking) kind(h *tar.Header, name string) error {
	switch h.Typeflag {
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return &chart.Error{Kind: chart.ErrUnsafe, File: name, Reason: "a device or a pipe", Remedy: "package the chart without it"}
	case tar.TypeLink, tar.TypeSymlink:
	default:
		return nil
	}
	to := strings.ReplaceAll(h.Linkname, `\`, "/")
	if h.Typeflag == tar.TypeSymlink && !path.IsAbs(to) {
		to = path.Dir(strings.ReplaceAll(h.Name, `\`, "/")) + "/" + to
	}
	if top, _, _ := strings.Cut(path.Clean(to), "/"); path.IsAbs(to) || top != u.top {
		return &chart.Error{
			Kind: chart.ErrUnsafe, File: name, Value: h.Linkname,
			Reason: "a link that leads out of the chart",
			Remedy: "package the chart with the file itself",
		}
	}
	u.budget.warn(name + ": a link: Helm reads an empty file")
	return nil
}

// content reads what is needed of a member: everything with keep, else what
// decides what the chart is and whether Helm would load it.
func (u *unpacking) content(name string, size int64, body io.Reader) error {
	dir, rest, skipped := place(name)
	if skipped {
		return nil
	}
	if strings.HasPrefix(rest, "charts/") && path.Ext(rest) == ".tgz" {
		return u.archive(name, dir, body)
	}
	switch rest {
	case chart.MetadataFile, chart.LockFile, chart.RequirementsFile, chart.RequirementsLockFile:
	case valuesFile, schemaFile:
		if !u.keep {
			return inside(dir, u.inspect(dir, rest, body))
		}
	default:
		if !u.keep {
			// What stands in charts/ must belong to a chart there, so the names count.
			if strings.HasPrefix(name, "charts/") {
				u.files = append(u.files, File{Name: name})
			}
			return nil
		}
	}
	data, err := readMember(body, size)
	if err != nil {
		return u.stream.explain(err)
	}
	u.files = append(u.files, File{Name: name, Data: trimBOM(data)})
	return nil
}

// readMember reads the size bytes of body. What a header claims is believed only
// up to a point: memory for more is taken as the bytes arrive.
func readMember(body io.Reader, size int64) ([]byte, error) {
	const believed = 1 << 20
	if size <= believed {
		data := make([]byte, size)
		_, err := io.ReadFull(body, data)
		return data, err
	}
	var buf bytes.Buffer
	buf.Grow(believed)
	_, err := io.Copy(&buf, body)
	return buf.Bytes(), err
}

// inspect checks a file of the chart at dir that is not kept.
func (u *unpacking) inspect(dir, name string, body io.Reader) error {
	buf := &u.stream.buf
	buf.Reset()
	if _, err := buf.ReadFrom(body); err != nil {
		return u.stream.explain(err)
	}
	data := trimBOM(buf.Bytes())
	if name == valuesFile {
		return checkValues(data)
	}
	if dir == "" && !json.Valid(data) {
		u.budget.warn(badSchema().Error())
	}
	return nil
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
	c, err := n.read(body)
	if err != nil {
		return inside(name+": ", err)
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
