package images

import (
	"bytes"
	"iter"
	"strings"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
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

// hasNull reports whether there is a null in v, or v is one.
func hasNull(v any) bool {
	t, ok := v.(table)
	if !ok {
		return v == nil
	}
	for _, value := range t {
		if hasNull(value) {
			return true
		}
	}
	return false
}

func dropNulls(t table) {
	for key, value := range t {
		if value == nil {
			delete(t, key)
		} else if below, ok := value.(table); ok {
			dropNulls(below)
		}
	}
}

// readValues returns a chart's values, for the caller to change.
func (f *Finder) readValues(c *pkgr.Chart) (table, error) {
	for _, file := range c.Files {
		if file.Name == valuesFile {
			read := f.values.get(c.Metadata.Name, file.Data, func() parsedValues {
				t, err := ReadValues(file.Data)
				return parsedValues{t, err}
			})
			return clone(read.table).(table), read.err
		}
	}
	return table{}, nil
}

// parsedValues is what ReadValues returns.
type parsedValues struct {
	table table
	err   error
}

// ReadValues reads a file of values, later documents over earlier ones as Helm's
// LoadValues does.
func ReadValues(data []byte) (map[string]any, error) {
	all := table{}
	for doc := range documents(data) {
		var t table
		if err := unmarshal(doc, &t); err != nil {
			return table{}, err
		}
		if t == nil {
			t = table{}
		}
		merge(t, all)
		all = t
	}
	return all, nil
}

// maxUnfolded is how many more bytes than it has a document may unfold to by its aliases.
const maxUnfolded = 16 << 20

// unmarshal reads a YAML document of strangers as Helm reads it.
func unmarshal(doc []byte, into any) error {
	if err := chart.CheckUnfolded(doc, len(doc)+maxUnfolded); err != nil {
		return err
	}
	return yaml.Unmarshal(doc, into)
}

// documents cuts YAML at lines that start with "---".
func documents(data []byte) iter.Seq[[]byte] { return bytes.SplitSeq(data, []byte("\n---")) }
