package bundle

import (
	"strings"
	"unicode/utf8"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/provenance"
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
	switch {
	case m.Base != "" && !isDigest(m.Base):
		return badManifest("base is no SHA-256")
	case len(m.Files) > maxFiles:
		return badManifest("%d files, at most %d are read", len(m.Files), maxFiles)
	case len(m.Files) == 0 || m.Files[0].Name != IndexName:
		return badManifest("the first file is not %s", IndexName)
	}
	limits := []int64{maxIndex}
	if len(m.Files) > 1 && m.Files[1].Name == ImagesName {
		limits = append(limits, maxImages)
	} else if len(m.Images) > 0 {
		return badManifest("images without %s", ImagesName)
	}
	for i, limit := range limits {
		f := &m.Files[i]
		if f.archive() || f.Version != "" || f.Created != nil || f.InBase {
			return badManifest("%s is described as something else", f.Name)
		}
		if err := f.validate(limit); err != nil {
			return err
		}
	}
	return m.validateCharts(m.Files[len(limits):])
}

// validateCharts checks archives and provenance.
func (m *Manifest) validateCharts(files []File) error {
	archives := make(map[string]bool, len(files))
	last := ""
	for i := range files {
		f := &files[i]
		limit := int64(maxArchive)
		switch {
		case f.Name <= last:
			return badManifest("%q is there twice or not in its place", f.Name)
		case f.InBase && m.Base == "":
			return badManifest("%q is in a base, and no base is named", f.Name)
		case f.archive():
			md := chart.Metadata{Name: f.Chart, Version: f.Version}
			if f.Name != md.ArchiveName() || f.Created == nil {
				return badManifest("%q is not the archive that it is described as", f.Name)
			}
			archives[f.Name] = true
		default:
			// An archive's name is the beginning of its provenance's, so it came before.
			archive, ok := strings.CutSuffix(f.Name, folder.ProvExt)
			if !ok || !archives[archive] || f.Version != "" || f.Created != nil {
				return badManifest("%q belongs to no archive", f.Name)
			}
			limit = provenance.MaxSize
		}
		if err := f.validate(limit); err != nil {
			return err
		}
		last = f.Name
	}
	return nil
}

func (f *File) validate(limit int64) error {
	switch {
	case len(f.Name) > maxName || !utf8.ValidString(f.Name) || f.Name[0] == '.' ||
		strings.ContainsFunc(f.Name, func(r rune) bool { return r < ' ' || r == '/' || r == '\\' || r == ':' || r == 0x7f }):
		return badManifest("%q is no name for a file", f.Name)
	case f.Size < 0 || f.Size > limit:
		return badManifest("%q has %d bytes, at most %d are read", f.Name, f.Size, limit)
	case !isDigest(f.SHA256):
		return badManifest("%q has no SHA-256", f.Name)
	}
	return nil
}

// isDigest reports whether s is a SHA-256 in lower-case hex.
func isDigest(s string) bool {
	digest, ok := chart.ParseDigest(s)
	return ok && digest == s
}
