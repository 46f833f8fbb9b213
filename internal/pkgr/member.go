package pkgr

import (
	"archive/tar"
	"bytes"
	"encoding/json"
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
			return u.inspect(dir, rest, body)
		}
	default:
		if !u.keep || u.part != nil && !u.part(rest) {
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
		u.note(inside(dir, checkValues(data)))
		return nil
	}
	if dir == "" && !json.Valid(data) {
		u.budget.warn(badSchema().Error())
	}
	return nil
}
