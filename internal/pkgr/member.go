package pkgr

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"strconv"
	"strings"

	"chartserve/internal/chart"
)

// member takes one member in.
func (u *unpacking) member(h *tar.Header, body io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return globalHeader(h)
	}
	if err := memberSize(h); err != nil {
		return err
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
		return chart.Refuse(chart.ErrArchive, h.Name, "a second top directory beside "+u.top+"/", "an archive holds one chart, in one directory")
	}
	if err := u.kind(h, name); err != nil {
		return err
	}
	if err := u.budget.file(name, h.Size); err != nil {
		return err
	}
	if name == chart.MetadataFile {
		u.created = h.ModTime.UTC()
	}
	if err := u.content(name, h.Size, body); err != nil || !isSparse(h) {
		return err
	}
	// archive/tar finds a wrong map of a sparse file when its content is read, which
	// Helm does with each file.
	_, err = io.Copy(io.Discard, body)
	return u.stream.explain(err)
}

func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// globalHeader refuses PAX records that change all members behind them, which GNU
// tar obeys and archive/tar, and so Helm, does not. `git archive` writes a comment.
func globalHeader(h *tar.Header) error {
	for key := range h.PAXRecords {
		switch {
		case key == "path", key == "linkpath", key == "size", strings.HasPrefix(key, "GNU.sparse."):
			return &chart.Error{
				Kind: chart.ErrUnsafe, Value: key,
				Reason: "a PAX global header that renames or resizes every member: Helm and tar unpack different files",
				Remedy: "package the chart again",
			}
		}
	}
	return nil
}

// memberSize refuses what no member can have: archive/tar passes on whatever size
// the header of a link or a directory claims, a negative one too. Helm 3 and 4 miss
// the bytes of a link that claims some.
func memberSize(h *tar.Header) error {
	var reason string
	switch {
	case h.Size < 0:
		reason = "a negative size"
	case h.Size > 0 && (h.Typeflag == tar.TypeLink || h.Typeflag == tar.TypeSymlink):
		reason = "a link with a size"
	default:
		return nil
	}
	return &chart.Error{Kind: chart.ErrArchive, File: h.Name, Value: strconv.FormatInt(h.Size, 10), Reason: reason, Remedy: "package the chart again"}
}

// kind refuses members that are neither files nor harmless links. Helm reads all
// of these as empty files, tar would make them.
func (u *unpacking) kind(h *tar.Header, name string) error {
	switch h.Typeflag {
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return chart.Refuse(chart.ErrUnsafe, name, "a device or a pipe", "package the chart without it")
	case tar.TypeLink, tar.TypeSymlink:
	default:
		return nil
	}
	to := strings.ReplaceAll(h.Linkname, `\`, "/")
	if h.Typeflag == tar.TypeSymlink && !path.IsAbs(to) {
		to = path.Dir(strings.ReplaceAll(h.Name, `\`, "/")) + "/" + to
	}
	top, _, _ := strings.Cut(path.Clean(to), "/")
	if inside := top == u.top || u.top == "." && top != ".."; path.IsAbs(to) || !inside {
		return &chart.Error{
			Kind: chart.ErrUnsafe, File: name, Value: h.Linkname,
			Reason: "a link that leads out of the chart",
			Remedy: "package the chart with the file itself",
		}
	}
	u.budget.warn(name + ": a link: Helm reads an empty file")
	return nil
}

// content reads the content of a member where somebody wants it: all files that
// decide what the chart is, or whether Helm loads it, and those to keep.
func (u *unpacking) content(name string, size int64, body io.Reader) error {
	dir, rest, skipped := place(name)
	f := File{Name: name}
	switch {
	case skipped, u.shallow && name != chart.MetadataFile && name != chart.RequirementsFile:
		return nil
	case isNested(rest):
		return u.archive(name, dir, body)
	case decides(rest) || u.keep(rest):
		data, err := readMember(body, size)
		if err != nil {
			return u.stream.explain(err)
		}
		f.Data = trimBOM(data)
		u.judge(dir, rest, f.Data)
		if !u.keep(rest) && (rest == valuesFile || rest == schemaFile) {
			f.Data = nil // judged, and nothing else
		}
	case !strings.HasPrefix(name, "charts/"):
		return nil
	}
	// What lies in charts/ must belong to a chart there, so all names there count.
	u.files = append(u.files, f)
	return nil
}

// judge looks into values.yaml and values.schema.json of the chart at dir as soon
// as they are read, so that not all of them are in memory at once.
func (u *unpacking) judge(dir, name string, data []byte) {
	if u.bad != nil {
		return
	}
	switch name {
	case valuesFile:
		warnings, err := u.checker.values(u.budget, data)
		for _, w := range warnings {
			u.budget.warn(dir + w)
		}
		u.note(inside(dir, err))
	case schemaFile:
		switch err := checkSchema(data); {
		case err == nil:
		case u.source:
			u.note(inside(dir, err))
		case dir == "" && u.depth == 0:
			u.budget.warn(err.Error())
		}
	}
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
