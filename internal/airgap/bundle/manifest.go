package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	Base string
	// Files are index.yaml, images.txt where there is one, then archives and
	// provenance by name.
	Files []File
	// Images are the references that images.txt lists, in its order.
	Images []string
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

// Totals are the numbers of archives and provenance files that the manifest lists.
func (m *Manifest) Totals() (archives, provenance int) {
	for i := range m.Files {
		switch f := &m.Files[i]; {
		case f.archive():
			archives++
		case !f.ours():
			provenance++
		}
	}
	return archives, provenance
}

// Size is the number of bytes of the bundle.
func (m *Manifest) Size() int64 {
	n := int64(len(m.Encode()))
	n += int64(len(header(ManifestName, n))) + padding(n) + trailerSize
	for i := range m.Files {
		if f := &m.Files[i]; !f.InBase {
			n += int64(len(header(f.Name, f.Size))) + f.Size + padding(f.Size)
		}
	}
	return n
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
		fmt.Fprintf(&b, "\"base\": %s,\n", appendJSON(nil, m.Base))
	}
	b.WriteString("\"files\": [")
	for i := range m.Files {
		separate(&b, i)
		b.Write(appendJSON(b.AvailableBuffer(), &m.Files[i]))
	}
	b.WriteString("\n],\n\"images\": [")
	for i, image := range m.Images {
		separate(&b, i)
		b.Write(appendJSON(b.AvailableBuffer(), image))
	}
	b.WriteString("\n],\n")
	seal := chart.Digest(b.Bytes())
	fmt.Fprintf(&b, "\"seal\": %q\n}\n", seal)
	return b.Bytes()
}

func separate(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
}

// appendJSON leaves <, > and & as they are.
func appendJSON(dst []byte, v any) []byte {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, numbers and times that were read from JSON or a tar
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// DecodeManifest reads a manifest. It takes nothing but what Encode writes. The
// error is a *chart.Error of kind ErrNotBundle or ErrDamaged.
func DecodeManifest(data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, badManifest(fmt.Sprintf("%d bytes, at most %d are read", len(data), maxManifest))
	}
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &format); err != nil {
		return nil, badManifest("it is not JSON: " + err.Error())
	}
	if format.Format > Format {
		return nil, &chart.Error{
			Kind: ErrNotBundle, File: ManifestName,
			Reason: fmt.Sprintf("format %d, this chartserve reads format %d", format.Format, Format),
			Remedy: "use a newer chartserve",
		}
	}
	var doc struct {
		Base   string   `json:"base"`
		Files  []File   `json:"files"`
		Images []string `json:"images"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, badManifest(err.Error())
	}
	m := &Manifest{Base: doc.Base, Files: doc.Files, Images: doc.Images}
	if err := m.validate(); err != nil {
		return nil, err
	}
	if !bytes.Equal(m.Encode(), data) {
		return nil, badManifest("its seal does not fit its content")
	}
	return m, nil
}

func badManifest(problem string) *chart.Error {
	return &chart.Error{
		Kind: ErrDamaged, File: ManifestName, Reason: problem,
		Remedy: "copy it again from where it was made",
	}
}
