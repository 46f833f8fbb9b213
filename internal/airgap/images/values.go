package images

import (
	"bytes"
	"strings"

	"sigs.k8s.io/yaml"

	"chartserve/internal/pkgr"
)

const (
	valuesFile = "values.yaml"
	globalKey  = "global"
)

// table is a YAML mapping. Numbers are float64, as templates see them. A null
// stays: it hides the value of a chart below, and is read as nothing.
type table = map[string]any

// merge puts what src has and dst has not into dst; dst's nulls stay.
func merge(dst, src table) {
	for key, value := range src {
		have, there := dst[key]
		if !there {
			dst[key] = value
			continue
		}
		a, isTable := have.(table)
		b, both := value.(table)
		if isTable && both {
			merge(a, b)
		}
	}
}

// clone copies tables; what they hold besides is never written to.
func clone(v any) any {
	t, ok := v.(table)
	if !ok {
		return v
	}
	c := make(table, len(t))
	for key, value := range t {
		c[key] = clone(value)
	}
	return c
}

// lookup finds the value at a dotted path; nil when there is none.
func lookup(t table, path string) any {
	var v any = t
	for key := range strings.SplitSeq(path, ".") {
		t, ok := v.(table)
		if !ok {
			return nil
		}
		v = t[key]
	}
	return v
}

// readValues reads a chart's values.yaml, later documents over earlier ones as
// Helm's LoadValues does.
func readValues(c *pkgr.Chart) (table, error) {
	all := table{}
	for _, f := range c.Files {
		if f.Name != valuesFile {
			continue
		}
		for _, doc := range documents(f.Data) {
			var t table
			if err := yaml.Unmarshal(doc, &t); err != nil {
				return table{}, err
			}
			if t == nil {
				t = table{}
			}
			merge(t, all)
			all = t
		}
	}
	return all, nil
}

// documents cuts YAML at lines that start with "---".
func documents(data []byte) [][]byte {
	var docs [][]byte
	start := 0
	for at := 0; at < len(data); {
		line := data[at:]
		next := len(data)
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			next = at + i + 1
		}
		if at > start && bytes.HasPrefix(line, []byte("---")) {
			docs = append(docs, data[start:at])
			start = at
		}
		at = next
	}
	return append(docs, data[start:])
}
