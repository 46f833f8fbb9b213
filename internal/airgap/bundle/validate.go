package bundle

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
)

// Bounds of what is read, far above any real bundle. Sizes are in bytes.
const (
	maxManifest = 64 << 20
	maxFiles    = 200_000
	maxIndex    = 256 << 20
	maxImages   = 16 << 20
	maxArchive  = 8<<30 - 1 // what a tar header can tell
	maxName     = 255       // what file systems take
)

// validate checks all that can be known of m without the files.
func (m *Manifest) validate() error {
	if m.Base != "" && !isDigest(m.Base) {
		return badManifest("base is no SHA-256")
	}
	if len(m.Files) > maxFiles {
		return badManifest(fmt.Sprintf("%d files, at most %d are read", len(m.Files), maxFiles))
	}
	files := m.Files
	if len(files) == 0 || files[0].Name != IndexName {
		return badManifest("the first file is not " + IndexName)
	}
	if err := m.fixed(&files[0], maxIndex); err != nil {
		return err
	}
	files = files[1:]
	if len(files) > 0 && files[0].Name == ImagesName {
		if err := m.fixed(&files[0], maxImages); err != nil {
			return err
		}
		files = files[1:]
	} else if len(m.Images) > 0 {
		return badManifest("images without " + ImagesName)
	}
	return m.validateArchives(files)
}

// fixed checks index.yaml and images.txt, which every bundle brings itself.
func (m *Manifest) fixed(f *File, limit int64) error {
	if f.archive() || f.Version != "" || f.Created != nil || f.InBase {
		return badManifest(f.Name + " is described as something else")
	}
	return f.validate(limit)
}

func (m *Manifest) validateArchives(files []File) error {
	archives := make(map[string]bool, len(files))
	last := ""
	for i := range files {
		f := &files[i]
		if f.Name <= last {
			return badManifest(fmt.Sprintf("%q is there twice or not in its place", f.Name))
		}
		last = f.Name
		if f.InBase && m.Base == "" {
			return badManifest(fmt.Sprintf("%q is in a base, and no base is named", f.Name))
		}
		if f.archive() {
			md := chart.Metadata{Name: f.Chart, Version: f.Version}
			if f.Name != md.ArchiveName() || f.Created == nil {
				return badManifest(fmt.Sprintf("%q is not the archive that it is described as", f.Name))
			}
			archives[f.Name] = true
			if err := f.validate(maxArchive); err != nil {
				return err
			}
			continue
		}
		// An archive's name is the beginning of its provenance's, so it came before.
		archive, ok := strings.CutSuffix(f.Name, folder.ProvExt)
		if !ok || !archives[archive] || f.Version != "" || f.Created != nil {
			return badManifest(fmt.Sprintf("%q belongs to no archive", f.Name))
		}
		if err := f.validate(folder.MaxProv); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) validate(limit int64) error {
	switch {
	case len(f.Name) > maxName || !utf8.ValidString(f.Name) || f.Name[0] == '.' ||
		strings.ContainsFunc(f.Name, func(r rune) bool { return r < ' ' || r == '/' || r == '\\' || r == ':' || r == 0x7f }):
		return badManifest(fmt.Sprintf("%q is no name for a file", f.Name))
	case f.Size < 0 || f.Size > limit:
		return badManifest(fmt.Sprintf("%q has %d bytes, at most %d are read", f.Name, f.Size, limit))
	case !isDigest(f.SHA256):
		return badManifest(fmt.Sprintf("%q has no SHA-256", f.Name))
	}
	return nil
}

// isDigest reports whether s is a SHA-256 in lower-case hex.
func isDigest(s string) bool {
	digest, ok := chart.ParseDigest(s)
	return ok && digest == s
}
