package images

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"
)

// WriteText writes one image a line and nothing else: the form for loops over
// `crane copy` and `skopeo copy`.
func (l *List) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, e := range l.Images() {
		fmt.Fprintln(b, e.Image)
	}
	return b.Flush()
}

// CheckText returns an error for the first line of a list that does not begin with an
// image, other than empty lines and comments: what can't be copied is known before it
// is carried.
func CheckText(list []byte) error {
	number := 0
	for line := range strings.Lines(string(list)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if _, err := parseRef(words[0]); err != nil {
			return fmt.Errorf("line %d: %q: %w (begin each line with NAME:TAG or NAME@DIGEST; # begins a comment)", number, words[0], err)
		}
	}
	return nil
}

// WriteYAML writes the source file of `skopeo sync --src yaml` (containers/skopeo,
// docs/skopeo-sync.1.md): registries, their repositories, and the tags and digests
// of each.
func (l *List) WriteYAML(w io.Writer) error {
	type registry struct {
		Images map[string][]string `json:"images"`
	}
	all := map[string]registry{}
	for _, e := range l.Images() {
		r, ok := all[e.Registry]
		if !ok {
			r.Images = map[string][]string{}
			all[e.Registry] = r
		}
		r.Images[e.Repository] = append(r.Images[e.Repository], cmp.Or(e.Digest, e.Tag))
	}
	data, err := yaml.Marshal(all)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// Failure is a chart that could not be read or rendered in full.
type Failure struct {
	Chart  string `json:"chart"`
	Reason string `json:"reason"`
}

// WriteJSON writes everything that is known, and the charts that failed.
func (l *List) WriteJSON(w io.Writer, failures []Failure) error {
	if failures == nil {
		failures = []Failure{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Images    []Entry     `json:"images"`
		Undecided []Undecided `json:"undecided"`
		Failures  []Failure   `json:"failures"`
	}{l.Images(), l.Undecided(), failures})
}
