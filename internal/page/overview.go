package page

import (
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/page/markup"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// Signature is what is known of a version's provenance.
type Signature struct {
	// File is the URL name of the provenance; empty: there is none of these bytes.
	File string
	// Checked says that the server has a keyring; Problem is what verification with it found
	// wrong, empty if nothing.
	Checked bool
	Problem string
}

// overview is a version as its first page shows it.
type overview struct {
	Subject
	Hub       hub
	Signature Signature
	Readme    template.HTML
	Cut       bool // the README is longer
	// ReadmeFile is the name of the README in the archive.
	ReadmeFile string
	// ToRead are other files for people, at most maxToRead, where they have pages; More counts
	// the rest of them.
	ToRead      []member
	More        int
	Ingredients []repo.Ingredient
}

// Overview is the page of a version: what it is and how to install it. c is what its archive
// holds.
func Overview(s Subject, c *pkgr.Chart, sig Signature) Page {
	s.Tab = "overview"
	o := overview{Subject: s, Signature: sig, Hub: readHub(s.Metadata.Annotations), Ingredients: s.View.Ingredients(s.Version)}
	if f := readmeOf(c); f != nil {
		o.ReadmeFile = f.Name
		o.Readme, o.Cut = markup.Markdown(f.Data, s.links(c))
	}
	o.ToRead = s.toRead(c, o.ReadmeFile)
	o.More = max(0, len(o.ToRead)-maxToRead)
	o.ToRead = o.ToRead[:len(o.ToRead)-o.More]
	return Page{"overview", o}
}

// maxToRead bounds the files that a version's first page leads to.
const maxToRead = 8

// toRead are the files of c for people that have pages, without the one that is shown: those to
// read first, the schema of the values, CRDs.
func (s Subject) toRead(c *pkgr.Chart, shown string) []member {
	var read, schema, definitions []member
	for _, f := range c.Files {
		m := s.Member(f.Name)
		m.Size = int64(len(f.Data))
		switch title := titleOf(f.Name); {
		case m.URL == "" || f.Name == shown:
		case title == toReadFirst:
			read = append(read, m)
		case f.Name == schemaFile:
			schema = append(schema, m)
		case title == crds:
			definitions = append(definitions, m)
		}
	}
	return slices.Concat(read, schema, definitions)
}

// readmeOf finds the README as GitHub and Artifact Hub do, whatever the case of its name.
func readmeOf(c *pkgr.Chart) *pkgr.File {
	for _, name := range []string{"readme.md", "readme.markdown", "readme", "readme.txt"} {
		for i := range c.Files {
			if strings.EqualFold(c.Files[i].Name, name) {
				return &c.Files[i]
			}
		}
	}
	return nil
}

// siteTime is what a README of pages that are files may take: a busy machine is to write the
// same bytes as an idle one.
const siteTime = 30 * time.Second

// links has the references of a README lead to the pages of its chart's files, which a Static
// page has none of.
func (s Subject) links(c *pkgr.Chart) markup.Options {
	if s.Static {
		return markup.Options{Time: siteTime}
	}
	there := make(map[string]bool, len(c.Files)) // there may be as many references
	for _, f := range c.Files {
		there[f.Name] = true
	}
	to := func(url func(name string) string) func(ref string) (string, bool) {
		return func(ref string) (string, bool) {
			ref, _, _ = strings.Cut(ref, "?")
			name := strings.TrimPrefix(path.Clean("/"+ref), "/")
			return url(name), there[name] && nameable(name)
		}
	}
	return markup.Options{Link: to(s.memberURL), Image: to(s.rawURL)}
}

// maxListed bounds each list of the metadata that a page shows.
const maxListed = 200

// Keywords and Maintainers are the first of the chart's.
func (o overview) Keywords() []string               { return first(o.Metadata.Keywords, maxListed) }
func (o overview) Maintainers() []*chart.Maintainer { return first(o.Metadata.Maintainers, maxListed) }

// Homes are the first links of the chart's author, of which a browser opens none by itself.
func (o overview) Homes() (all []string) {
	for _, ref := range append([]string{o.Metadata.Home}, first(o.Metadata.Sources, maxListed)...) {
		if elsewhere(ref) && !slices.Contains(all, ref) {
			all = append(all, ref)
		}
	}
	return all
}

// Installable reports whether the chart is one that Helm installs.
func (s Subject) Installable() bool { return s.Metadata.Type != "library" }

// InRegistry reports whether a registry has the version: its names have no capitals, and its
// tags at most 128 characters. Files are in none.
func (s Subject) InRegistry() bool {
	name := s.Version.Entry.Name
	return !s.Static && name == strings.ToLower(name) && len(s.Version.Entry.Version) <= 128
}

// SignatureURL is where the provenance is.
func (o overview) SignatureURL() string { return o.Root + escapePath(o.Signature.File) }

// Has reports whether a chart of that name is in this repository.
func (s Subject) Has(name string) bool { return s.View.Chart(name) != nil }
