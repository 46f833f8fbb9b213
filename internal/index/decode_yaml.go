package index

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// maxNodes bounds the values in a YAML document, each of which takes some 200
// bytes to parse however short it is.
const maxNodes = 10_000_000

// yaml reads an index that is YAML. It is turned into JSON entry by entry, as
// sigs.k8s.io/yaml does it, which Helm uses. (A number where text belongs, such as
// appVersion: 1.10, is an error there too; the library mends that only outside of
// embedded structs.) That library turns the whole document at once, and writes out
// every alias: a few kilobytes can make terabytes.
func (d *decoder) yaml(data []byte) error {
	if len(data) > MaxYAML {
		return tooLarge("YAML", len(data), MaxYAML)
	}
	if n := nodes(data); n > maxNodes {
		return &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("an index of %d YAML values, at most %d are read", n, maxNodes)}
	}
	var doc struct {
		APIVersion any `yaml:"apiVersion"`
		Entries    any `yaml:"entries"`
		Generated  any `yaml:"generated"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return notIndex(err)
	}
	d.apiVersion, _ = keyText(doc.APIVersion)
	d.generated, _ = doc.Generated.(string)
	entries, ok := doc.Entries.(map[any]any)
	d.hasEntries = ok
	if !ok && doc.Entries != nil {
		return fmt.Errorf("%w: entries is not a mapping", ErrIndex)
	}
	if err := d.check(); err != nil {
		return err
	}
	// Without aliases the parts can't be larger than the whole.
	w := jsonWriter{budget: len(data) + 1<<20}
	for _, key := range sortedKeys(entries) {
		name, _ := keyText(key)
		d.charts = append(d.charts, decodedChart{name: name})
		if err := d.yamlChart(&d.charts[len(d.charts)-1], entries[key], &w); err != nil {
			return err
		}
	}
	return nil
}

// yamlChart decodes the versions of c from value. Its error is one of the whole
// document.
func (d *decoder) yamlChart(c *decodedChart, value any, w *jsonWriter) error {
	list, ok := value.([]any)
	if !ok && value != nil {
		d.skip(c, -1, errNotList)
		return nil
	}
	seen := make(map[string]bool)
	for i, v := range list {
		w.buf = w.buf[:0]
		err := w.value(v, 0)
		if errors.Is(err, chart.ErrLimit) {
			return err
		}
		if err != nil {
			d.skip(c, i, err)
			continue
		}
		d.add(c, &entryReader{scanner: scanner{src: string(w.buf)}}, i, seen)
	}
	return nil
}

// notIndex words the library's error, whose text may have many lines.
func notIndex(err error) error {
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	var mismatch *yaml.TypeError
	if errors.As(err, &mismatch) {
		text = "not a mapping"
	}
	return fmt.Errorf("%w: %s", ErrIndex, text)
}

// nodes is how many values data can have at most, by the characters that stand
// before or behind each.
func nodes(data []byte) int {
	n := 0
	for _, mark := range []string{":", ",", "[", "{", "- ", "-\n", "? "} {
		n += bytes.Count(data, []byte(mark))
	}
	return n
}
