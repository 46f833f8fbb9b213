package page

import (
	"cmp"
	"fmt"
	"html"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"

	"chartserve/internal/page/diff"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// shownLines bounds the lines that the page of a difference has, of a file and of all.
var shownLines = diff.Options{Lines: 2_000, Total: 20_000}

const (
	openLines   = 400   // of the files that are unfolded
	shownImages = 1_000 // names of images
	shownFields = 1_000 // of the metadata, and as many dependencies
)

// difference is what two versions of a chart do not have alike.
type difference struct {
	Subject    // of the version after
	From       *repo.Version
	Form       comparison
	Hub        hub // of the newer one of both
	Newer      *repo.Version
	D          *diff.Difference
	Fields     []field // of the metadata
	Values     []field
	Images     []field
	MoreImages int // besides Images
	MoreFields int // besides Fields, and dependencies
	// Unlooked says that one of both has too much to look for images in.
	Unlooked bool
	Files    []changedFile
}

// field is something that has a value in one version or in both; "" is that it has none.
type field struct{ Name, Before, After string }

// changedFile is a file as the page shows it.
type changedFile struct {
	diff.File
	Number   int // from 1
	Open     bool
	Versions [2]string // the one before, and the one after
}

// Pair finds the versions that are compared, where each may be empty: then to is the newest
// version, and from the one before to. One that is not there is nil.
func Pair(c *repo.Chart, from, to string) (before, after *repo.Version) {
	after = c.Versions[0]
	if to != "" {
		after = c.Version(to)
	}
	switch {
	case from != "":
		before = c.Version(from)
	case after != nil:
		before = older(c, after)
	}
	return before, after
}

// Difference is the page of what changed from a version to that of s. before and after are
// what their archives hold; shelf has, or keeps, their images.
func Difference(s Subject, from *repo.Version, before, after *pkgr.Chart, shelf *Shelf) Page {
	s.Tab, s.Title = "versions", fmt.Sprintf("%s: from %s to %s", s.Chart.Name, from.Entry.Version, s.Version.Entry.Version)
	p := difference{Subject: s, From: from, Newer: s.Version, Form: compare(s, from.Entry.Version, s.Version.Entry.Version)}
	newer := after
	if slices.Index(s.Chart.Versions, from) < slices.Index(s.Chart.Versions, s.Version) {
		p.Newer, newer = from, before
	}
	p.Hub = readHub(newer.Metadata.Annotations)
	p.D = diff.Compare(diff.Of(before), diff.Of(after), shownLines)
	p.MoreFields = max(0, len(p.D.Metadata)-shownFields) + max(0, len(p.D.Dependencies)-shownFields)
	p.D.Dependencies = first(p.D.Dependencies, shownFields)
	for _, f := range first(p.D.Metadata, shownFields) {
		p.Fields = append(p.Fields, field(f))
	}
	for _, v := range p.D.Values {
		p.Values = append(p.Values, field{v.Path, v.Before, v.After})
	}
	was, is := shelf.Images(from, before), shelf.Images(s.Version, after)
	if p.Unlooked = was.TooLarge || is.TooLarge; !p.Unlooked {
		p.Images = changedImages(was, is)
	}
	if n := len(p.Images) - shownImages; n > 0 {
		p.Images, p.MoreImages = p.Images[:shownImages], n
	}
	left := openLines
	for i, f := range p.D.Files {
		left -= f.Shown()
		p.Files = append(p.Files, changedFile{f, i + 1, left > 0, [2]string{from.Entry.Version, s.Version.Entry.Version}})
	}
	return Page{"difference", p}
}

// changedImages are the images whose tags or digests are not the same, by name. Several of one
// name are in one field.
func changedImages(before, after *Found) (changed []field) {
	was, is := tagsOf(before), tagsOf(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Equal(was[name], is[name]) {
			changed = append(changed, field{name, strings.Join(was[name], ", "), strings.Join(is[name], ", ")})
		}
	}
	return changed
}

// tagsOf are the tags and digests of images, sorted, by the name of the image.
func tagsOf(f *Found) map[string][]string {
	all := map[string][]string{}
	for _, i := range f.Images {
		name := i.Registry + "/" + i.Repository
		all[name] = append(all[name], cmp.Or(i.Digest, i.Tag))
	}
	for _, tags := range all {
		slices.Sort(tags)
	}
	return all
}

// fieldTable is a table of fields, for a template.
type fieldTable struct {
	Heading, Name string // the id of its heading; what fields are
	From, To      string // versions
	Fields        []field
}

// Table makes a fieldTable.
func (p difference) Table(heading, name string, fields []field) fieldTable {
	return fieldTable{heading, name, p.From.Entry.Version, p.Version.Entry.Version, fields}
}

// Added and Removed are lines of all files.
func (p difference) Added() (n int) {
	for _, f := range p.Files {
		n += f.Added
	}
	return n
}

func (p difference) Removed() (n int) {
	for _, f := range p.Files {
		n += f.Removed
	}
	return n
}

// Same reports whether a version is compared with itself.
func (p difference) Same() bool { return p.From == p.Version }

// Left says what is left out; empty: nothing is.
func (f changedFile) Left() string {
	shown := 0
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			if l.Op != diff.OpContext {
				shown++
			}
		}
	}
	switch {
	case !f.Cut:
		return ""
	case shown == 0:
		return "the difference is too large to be shown"
	case shown < f.Added+f.Removed:
		return fmt.Sprintf("only the first %s of the difference are shown", count(f.Shown(), "line"))
	}
	return "what is very long is cut"
}

// BytesBefore and BytesAfter are sizes.
func (f changedFile) BytesBefore() int64 { return int64(f.Before) }
func (f changedFile) BytesAfter() int64  { return int64(f.After) }

// Rows are the lines of a file's difference, of which a table is made. There are too many of them for a
// template.
func (f changedFile) Rows() template.HTML { return lineRows(f.Text) }

func lineRows(text diff.Text) template.HTML {
	var b strings.Builder
	for _, h := range text.Hunks {
		fmt.Fprintf(&b, "<tr class=\"hunk\"><th colspan=\"4\" scope=\"colgroup\">%s</th></tr>\n", h.Header())
		for _, l := range h.Lines {
			open, end := "<td>", "</td>"
			switch l.Op {
			case diff.OpAdded:
				open, end = `<td><ins>`, `</ins></td>`
			case diff.OpRemoved:
				open, end = `<td><del>`, `</del></td>`
			}
			b.WriteString("<tr><td>" + number(l.Before) + "</td><td>" + number(l.After) + "</td><td>" + l.Sign() + "</td>")
			b.WriteString(open + html.EscapeString(l.Text) + end + "</tr>\n")
			if l.Open {
				b.WriteString("<tr><td colspan=\"3\"></td><td class=\"soft\">no line break at the end</td></tr>\n")
			}
		}
	}
	return template.HTML(b.String())
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Unified is the difference of the files as patch reads it.
func (p difference) Unified() string {
	var b strings.Builder
	for _, f := range p.Files {
		b.WriteString(f.unified())
	}
	return b.String()
}

func (f changedFile) unified() string {
	var b strings.Builder
	before, after := quoted("a/"+f.Name), quoted("b/"+f.Name)
	if f.Kind == diff.Renamed {
		before = quoted("a/" + f.From)
	}
	if left := f.Left(); left != "" {
		fmt.Fprintf(&b, "%s: %s\n", quoted(f.Name), left)
	}
	fmt.Fprintf(&b, "diff --git %s %s\n", before, after)
	switch f.Kind {
	case diff.Renamed:
		fmt.Fprintf(&b, "similarity index 100%%\nrename from %s\nrename to %s\n", quoted(f.From), quoted(f.Name))
		return b.String()
	case diff.Added:
		b.WriteString("new file mode 100644\n")
		before = "/dev/null"
	case diff.Removed:
		b.WriteString("deleted file mode 100644\n")
		after = "/dev/null"
	}
	switch {
	case f.Binary:
		fmt.Fprintf(&b, "Binary files %s and %s differ\n", before, after)
	case len(f.Hunks) > 0:
		fmt.Fprintf(&b, "--- %s\n+++ %s\n%s", before, after, unified(f.Text))
	}
	return b.String()
}

func unified(text diff.Text) string {
	var b strings.Builder
	for _, h := range text.Hunks {
		b.WriteString(h.Header() + "\n")
		for _, l := range h.Lines {
			b.WriteString(l.Sign() + l.Text + "\n")
			if l.Open {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	return b.String()
}

// quoted is a file name as git writes it into a difference.
func quoted(name string) string {
	if q := strconv.Quote(name); q != `"`+name+`"` {
		return q
	}
	return name
}
