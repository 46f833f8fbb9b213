package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
)

// Format numbers the form of bundles and manifests.
const Format = 1

// Names of a bundle's members that are not archives or provenance.
const (
	ManifestName = "manifest.json"
	IndexName    = folder.IndexName
	ImagesName   = "images.txt"
)

// Manifest says what a bundle holds.
type Manifest struct {
	// Base is the SHA-256 of the base's manifest, in hex; "" in a bundle that needs
	// none.
	Base string `json:"base"`
	// Files are index.yaml, images.txt where there is one, then archives and
	// provenance by name.
	Files []File `json:"files"`
	// Images are the references that images.txt lists, in its order.
	Images []string `json:"images"`
}

// File is one file of a bundle.
type File struct {
	Name string `json:"name"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// SHA256 is in 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Chart, Version and Created are an archive's, else zero.
	Chart   string     `json:"chart,omitempty"`
	Version string     `json:"version,omitempty"`
	Created *time.Time `json:"created,omitempty"`
	// InBase says that the file is not in this bundle but in the delta's base.
	InBase bool `json:"inBase,omitempty"`
}

// archive reports whether f is an archive.
func (f *File) archive() bool { return f.Chart != "" }

// ours reports whether f is made for the bundle, and not taken from the folder.
func (f *File) ours() bool { return f.Name == IndexName || f.Name == ImagesName }

// same reports whether f and g have the same bytes.
func (f *File) same(g *File) bool { return f.SHA256 == g.SHA256 && f.Size == g.Size }

// byName returns the files by their names.
func (m *Manifest) byName() map[string]*File {
	files := make(map[string]*File, len(m.Files))
	for i := range m.Files {
		files[m.Files[i].Name] = &m.Files[i]
	}
	return files
}

// inBase returns the files that a delta leaves out.
func (m *Manifest) inBase() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for i := range m.Files {
			if f := &m.Files[i]; f.InBase && !yield(f) {
				return
			}
		}
	}
}

// Totals are what a manifest lists.
type Totals struct {
	Archives   int   `json:"archives"`
	Provenance int   `json:"provenance"`
	Images     int   `json:"images"`
	InBase     int   `json:"inBase"` // files that a delta leaves out
	Bytes      int64 `json:"bytes"`  // the size of the bundle
}

// Totals counts what m lists.
func (m *Manifest) Totals() Totals {
	size := int64(len(m.Encode()))
	t := Totals{Images: len(m.Images), Bytes: memberSize(ManifestName, size) + trailerSize}
	for i := range m.Files {
		f := &m.Files[i]
		switch {
		case f.archive():
			t.Archives++
		case !f.ours():
			t.Provenance++
		}
		if f.InBase {
			t.InBase++
		} else {
			t.Bytes += memberSize(f.Name, f.Size)
		}
	}
	return t
}

func memberSize(name string, size int64) int64 {
	return int64(len(header(name, size))) + size + padding(size)
}

// Digest is the SHA-256 of the encoded manifest, in hex. Who knows it from
// elsewhere knows every byte of the bundle.
func (m *Manifest) Digest() string { return chart.Digest(m.Encode()) }

// Encode is the JSON form of m: a file on each line, and at the end the seal, the
// SHA-256 of everything before it, so that no bit can change unnoticed.
func (m *Manifest) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\"format\": %d,\n", Format)
	if m.Base != "" {
		fmt.Fprintf(&b, "\"base\": %q,\n", m.Base)
	}
	b.WriteString("\"files\": [\n")
	encodeLines(&b, m.Files)
	b.WriteString("],\n\"images\": [\n")
	encodeLines(&b, m.Images)
	b.WriteString("],\n")
	seal := chart.Digest(b.Bytes())
	fmt.Fprintf(&b, "\"seal\": %q\n}\n", seal)
	return b.Bytes()
}

// encodeLines writes the elements of a JSON list, one a line, with <, > and & as they
// are.
func encodeLines[T any](b *bytes.Buffer, list []T) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	for i := range list {
		if i > 0 {
			b.Truncate(b.Len() - 1) // the line break that Encode has written
			b.WriteString(",\n")
		}
		if err := e.Encode(&list[i]); err != nil {
			panic(err) // strings, numbers and times that were read from JSON or a tar
		}
	}
}

// DecodeManifest reads a manifest. It takes nothing but what Encode writes. The
// error is a *chart.Error of kind ErrNotBundle or ErrDamaged.
func DecodeManifest(data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, badManifest("%d bytes, at most %d are read", len(data), maxManifest)
	}
	var doc struct {
		Format int `json:"format"`
		Manifest
	}
	err := json.Unmarshal(data, &doc) // which reads on after a value of another type
	if doc.Format > Format {
		return nil, finding(ErrNotBundle, ManifestName,
			fmt.Sprintf("format %d, this chartserve reads format %d", doc.Format, Format), "use a newer chartserve")
	}
	if err != nil {
		return nil, badManifest("%v", err)
	}
	m := &doc.Manifest
	if err := m.validate(); err != nil {
		return nil, err
	}
	if !bytes.Equal(m.Encode(), data) {
		return nil, badManifest("its seal does not fit its content")
	}
	return m, nil
}

func badManifest(format string, args ...any) *chart.Error {
	return finding(ErrDamaged, ManifestName, fmt.Sprintf(format, args...), "copy it again from where it was made")
}
