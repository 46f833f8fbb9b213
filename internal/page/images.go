package page

import (
	"path"
	"strings"

	"chartserve/internal/airgap/images"
	"chartserve/internal/pkgr"
)

// Found is what an archive says of container images.
type Found struct {
	Images    []images.Entry
	Undecided []images.Undecided
	// Missing are the dependencies that the archive has not with it.
	Missing []string
	// TooLarge says that nobody has looked: the chart has more templates and values than a
	// page may take the time for.
	TooLarge bool
}

// maxLooked bounds the templates and values that images are looked for in, in bytes.
const maxLooked = 4 << 20

func findImages(c *pkgr.Chart) *Found {
	left := maxLooked
	for f := range c.All() {
		if strings.Contains("/"+f.Name, "/templates/") || path.Base(f.Name) == valuesFile {
			left -= len(f.Data)
		}
	}
	if left < 0 {
		return &Found{TooLarge: true, Missing: images.Missing(c)}
	}
	l := new(images.List)
	l.Add(new(images.Finder).Find(c))
	return &Found{Images: l.Images(), Undecided: l.Undecided(), Missing: images.Missing(c)}
}

// size is how many bytes it takes, about.
func (f *Found) size() (n int64) {
	const origin = 200 // of an images.Origin
	for _, i := range f.Images {
		n += int64(len(i.Image) + origin*(1+len(i.Sources)))
	}
	for _, u := range f.Undecided {
		n += int64(len(u.Value) + len(u.Reason) + origin)
	}
	return n
}

// imagesPage are the container images of a version.
type imagesPage struct {
	Subject
	*Found
	// Rows and Doubts are the first of Images and Undecided.
	Rows   []images.Entry
	Doubts []images.Undecided
}

// maxImages bounds the rows of each table.
const maxImages = 2_000

// Images is the page of the container images that a version names with its default values.
func Images(s Subject, f *Found) Page {
	s.Tab, s.Title = "images", s.Title+": images"
	return Page{"images", imagesPage{s, f, first(f.Images, maxImages), first(f.Undecided, maxImages)}}
}

// shownPlaces is how many places of an image are shown at once.
const shownPlaces = 3

// First and Others divide the places that name an image.
func (imagesPage) First(all []images.Origin) []images.Origin { return all[:min(len(all), shownPlaces)] }
func (imagesPage) Others(all []images.Origin) []images.Origin {
	return all[min(len(all), shownPlaces):]
}

// place is where an image was found.
type place struct {
	images.Origin
	// URL is the page of the file, at the line if that is known; empty: there is none.
	URL string
}

// At is where o is.
func (p imagesPage) At(o images.Origin) place {
	at := place{Origin: o, URL: p.Member(o.File).URL}
	if at.URL == "" {
		return at
	}
	if line, ok := strings.CutPrefix(o.Key, "line "); ok && o.From == "template" {
		at.URL += "#L" + line
	}
	return at
}

// Path is the version's own part of its pages' URLs. It is safe between single quotes of a
// shell.
func (p imagesPage) Path() string {
	return strings.TrimSuffix(strings.TrimPrefix(p.Own(), p.Root+"chart/"), "/")
}
