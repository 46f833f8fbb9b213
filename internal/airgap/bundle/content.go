package bundle

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"chartserve/internal/index"
)

// index reads index.yaml and compares it with the manifest: the same archives, by
// digest, under the names they have here.
func (s *stream) index(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f, err := index.Decode(data)
	if err != nil {
		return err
	}
	if len(f.Skipped) > 0 {
		return f.Skipped[0]
	}
	type id struct{ chart, version string }
	entries := make(map[id]*index.Entry, len(f.Entries))
	for _, e := range f.Entries {
		entries[id{e.Name, e.Version}] = e
	}
	archives := 0
	for i := range s.manifest.Files {
		f := &s.manifest.Files[i]
		if !f.archive() {
			continue
		}
		archives++
		e := entries[id{f.Chart, f.Version}]
		if e == nil || e.Digest != f.SHA256 || !e.At(f.Name) || !e.Created.Equal(*f.Created) {
			return fmt.Errorf("its entry of %s %s is not the manifest's", f.Chart, f.Version)
		}
	}
	if archives != len(f.Entries) {
		return fmt.Errorf("%d entries, the manifest lists %d archives", len(f.Entries), archives)
	}
	s.entries = f.Entries
	return nil
}

// images reads images.txt and compares it with the manifest.
func (s *stream) images(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err == nil && !slices.Equal(imagesIn(data), s.manifest.Images) {
		err = errors.New("its images are not the manifest's")
	}
	return err
}

// imagesIn are the references in a list of images: the first word of each line
// that is neither empty nor begins with "#".
func imagesIn(list []byte) []string {
	var images []string
	for line := range strings.Lines(string(list)) {
		if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
			images = append(images, words[0])
		}
	}
	return images
}
