package page

import (
	"cmp"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"chartserve/internal/chart"
	"chartserve/internal/page/markup"
	"chartserve/internal/pkgr"
)

// maxFiles bounds the files that a page lists.
const maxFiles = 5000

// member is a file of an archive.
type member struct {
	// Name is the path below the chart's directory, that of a file of a sub-chart too.
	Name string
	Size int64
	// URL is the page of it; empty: no URL can name it, or there is none among files.
	URL string
}

// members are the files of c, which is s's, and of its sub-charts.
func (s Subject) members(c *pkgr.Chart) (all []member) {
	for f := range c.All() {
		m := s.Member(f.Name)
		m.Size = int64(len(f.Data))
		all = append(all, m)
	}
	return all
}

// Member is a file of that name, whose size is not known.
func (s Subject) Member(name string) member {
	if s.Static || !nameable(name) {
		return member{Name: name}
	}
	return member{Name: name, URL: s.memberURL(name)}
}

// memberURL is the URL of the page of a file.
func (s Subject) memberURL(name string) string { return s.Own() + "files/" + escapePath(name) + "/" }

// rawURL is the URL of the file itself.
func (s Subject) rawURL(name string) string { return s.Own() + "files/" + escapePath(name) + "?raw" }

// nameable reports whether a URL can name a file: others have what no file of the repository
// may be called.
func nameable(name string) bool {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }
	return utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}

// cutSubchart splits the name of a file in a sub-chart, such as charts/mariadb/values.yaml.
// Of other files the name of the sub-chart is empty.
func cutSubchart(name string) (subchart, file string, ok bool) {
	below, ok := strings.CutPrefix(name, "charts/")
	if !ok {
		return "", name, false
	}
	return strings.Cut(below, "/")
}

// fileList are the files of a version.
type fileList struct {
	Subject
	Groups    []group // of the chart itself
	Subcharts []group
	Count     int
	Size      int64
	More      int // files that are not listed
}

// group is some of the files of a chart.
type group struct {
	Title string
	Files []member
}

// titles are those of the groups, in order.
func titles() []string {
	return []string{toReadFirst, metadataAndValues, templates, crds, otherFiles}
}

const (
	toReadFirst       = "To read first"
	metadataAndValues = "Metadata and values"
	templates         = "Templates"
	crds              = "CRDs"
	otherFiles        = "Other files"
)

// Files is the page of the files of a version.
func Files(s Subject, c *pkgr.Chart) Page {
	s.Tab, s.Title = "files", s.Title+": files"
	l := fileList{Subject: s}
	own := map[string][]member{}
	for _, m := range s.members(c) {
		l.Count++
		l.Size += m.Size
		if l.Count > maxFiles {
			l.More++
			continue
		}
		sub, _, ok := cutSubchart(m.Name)
		switch n := len(l.Subcharts); {
		case !ok:
			own[titleOf(m.Name)] = append(own[titleOf(m.Name)], m)
		case n > 0 && l.Subcharts[n-1].Title == sub:
			l.Subcharts[n-1].Files = append(l.Subcharts[n-1].Files, m)
		default:
			l.Subcharts = append(l.Subcharts, group{sub, []member{m}})
		}
	}
	for _, title := range titles() {
		if files := own[title]; files != nil {
			slices.SortStableFunc(files, func(a, b member) int { return cmp.Compare(rank(a.Name), rank(b.Name)) })
			l.Groups = append(l.Groups, group{title, files})
		}
	}
	return Page{"files", l}
}

// titleOf is the title of the group that a file is in.
func titleOf(name string) string {
	switch {
	case rank(name) >= 0:
		return toReadFirst
	case slices.Contains([]string{chart.MetadataFile, chart.LockFile, chart.RequirementsFile, chart.RequirementsLockFile, valuesFile, schemaFile, ".helmignore"}, name):
		return metadataAndValues
	case strings.HasPrefix(name, "templates/"):
		return templates
	case strings.HasPrefix(name, "crds/"):
		return crds
	}
	return otherFiles
}

// rank is the place of a file among those to read first; -1: it is none.
func rank(name string) int {
	if name == "templates/NOTES.txt" {
		return 3
	}
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	return slices.Index([]string{"readme", "changelog", "changes", "notes", "upgrading", "security", "notice", "license", "licence", "copying"}, stem)
}

// Open is whether a group of a sub-chart's files is open: with few of them all are.
func (l fileList) Open() bool { return l.Count <= 60 }

// File is a file of a chart as it is sent.
type File struct {
	Name string
	Data []byte
	// Type is its Content-Type: of pictures and of text, which is text/plain whatever it is
	// about; application/octet-stream for all else.
	Type string
}

// FindFile returns the file of c, or of a sub-chart, with exactly this name.
func FindFile(c *pkgr.Chart, name string) (f File, ok bool) {
	for m := range c.All() {
		if m.Name == name {
			return File{name, m.Data, typeOf(name, m.Data)}, true
		}
	}
	return f, false
}

func typeOf(name string, data []byte) string {
	if kind, ok := markup.Picture(name, data); ok {
		return kind
	}
	if markup.IsText(data) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// IsPicture and IsText say how a file can be shown; an SVG file is both.
func (f File) IsPicture() bool { return strings.HasPrefix(f.Type, "image/") }
func (f File) IsText() bool    { return markup.IsText(f.Data) }

// Disposition is the Content-Disposition; empty for what a browser shows.
func (f File) Disposition() string {
	if f.IsPicture() || f.IsText() {
		return ""
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(f.Name)})
}

// filePage is one file.
type filePage struct {
	Subject
	File File
}

// FilePage is the page of one file.
func FilePage(s Subject, f File) Page {
	s.Tab, s.Title = "file", s.Title+": "+f.Name
	return Page{"file", filePage{s, f}}
}

// Raw is the URL of the file itself.
func (p filePage) Raw() string { return p.rawURL(p.File.Name) }

// Size is that of the file.
func (p filePage) Size() int64 { return int64(len(p.File.Data)) }

// Source is the file, highlighted; it is made when it is asked for.
func (p filePage) Source() shown { return source{p.File.Name, p.File.Data}.highlight() }

// Text is the file as it is.
func (p filePage) Text() string { return string(p.File.Data) }
