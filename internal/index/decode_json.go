package index

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// document is an index by its JSON.
type document struct {
	apiVersion string
	generated  string
	// contextPath is that of serverInfo.
	contextPath string
	charts      map[string]*list // by name; nil: there are no entries
	versions    int
}

// list is what an index has for one chart.
type list struct {
	invalid bool // something else is in its place
	items   []item
}

// item is one of a chart's list: JSON, and then the Entry or why there is none. It has
// both when it is in the list of another chart.
type item struct {
	data  []byte
	entry *Entry
	err   error
}

// isJSON reports whether data is JSON and not only YAML, by Helm's own test, and an
// object. What is too large to look at counts by its first byte.
func isJSON(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \n\t\r"), []byte("{")) && (len(data) > MaxJSON || json.Valid(data))
}

// readDocument finds the entries of an index that is valid JSON. They are slices of
// data. As in encoding/json, keys have any capitals, and of two members of one name the
// last counts, but for two mappings, which are merged.
func readDocument(data []byte) (*document, error) {
	if len(data) > MaxJSON {
		return nil, tooLarge("an index of %d bytes as JSON, at most %d are read", len(data), MaxJSON)
	}
	doc := new(document)
	r := &jsonReader{data, json.NewDecoder(bytes.NewReader(data))}
	err := r.members(func(key string) error {
		switch {
		case strings.EqualFold(key, "apiVersion"):
			return r.text(&doc.apiVersion)
		case strings.EqualFold(key, "generated"):
			return r.text(&doc.generated)
		case strings.EqualFold(key, "serverInfo"):
			return r.serverInfo(doc)
		case !strings.EqualFold(key, "entries"):
			return r.skip()
		case r.next() == 'n': // null is a mapping without members
			doc.charts, doc.versions = nil, 0
			return r.skip()
		case r.next() != '{':
			return notIndex("entries is not a mapping")
		}
		if doc.charts == nil {
			doc.charts = map[string]*list{}
		}
		return r.members(func(name string) error { return r.chart(doc, name) })
	})
	return doc, err
}

// decodeEntries decodes all items, up to eight charts at a time: an entry may take 60
// times its size while it is decoded. It reports whether the records are within budget.
func (d *document) decodeEntries(budget int64) bool {
	var left atomic.Int64
	left.Store(budget)
	var g errgroup.Group
	g.SetLimit(8)
	for name, list := range d.charts {
		g.Go(func() error {
			for i := range list.items {
				v := &list.items[i]
				if v.entry, v.err = decodeEntry(name, v.data); v.entry != nil && left.Add(-int64(len(v.entry.Record))) < 0 {
					break
				}
			}
			return nil
		})
	}
	_ = g.Wait()
	return left.Load() >= 0
}

// jsonReader walks over valid JSON.
type jsonReader struct {
	data []byte
	*json.Decoder
}

// chart reads the list of a chart's versions.
func (r *jsonReader) chart(doc *document, name string) error {
	kind := r.next()
	c := &list{invalid: kind != '[' && kind != 'n'}
	doc.charts[name] = c
	if err := checkCount(len(doc.charts)); err != nil || kind != '[' {
		return cmp.Or(err, r.skip())
	}
	return r.members(func(string) error {
		data, err := r.value()
		c.items = append(c.items, item{data: data})
		doc.versions++
		return cmp.Or(err, checkCount(doc.versions))
	})
}

func checkCount(n int) error {
	if n > MaxVersions {
		return tooLarge("an index of more than %d charts or versions, at most %[1]d are read", MaxVersions)
	}
	return nil
}

// members reads an object or an array; member reads each value, and an array's have no
// key.
func (r *jsonReader) members(member func(key string) error) error {
	open, err := r.Token()
	for err == nil && r.More() {
		key := json.Token("")
		if open == json.Delim('{') {
			if key, err = r.Token(); err != nil {
				return err
			}
		}
		err = member(key.(string))
	}
	if err == nil {
		_, err = r.Token()
	}
	return err
}

// next returns the first byte of the next value.
func (r *jsonReader) next() byte {
	return bytes.TrimLeft(r.data[r.InputOffset():], ":, \n\t\r")[0]
}

// value reads the next value.
func (r *jsonReader) value() ([]byte, error) {
	from := r.InputOffset()
	err := r.Decode(new(skipped))
	return bytes.TrimLeft(r.data[from:r.InputOffset()], ":, \n\t\r"), err
}

// text reads a string into v, and forgets any other value.
func (r *jsonReader) text(v *string) error {
	data, err := r.value()
	_ = json.Unmarshal(data, v)
	return err
}

// serverInfo reads what ChartMuseum says of itself, and forgets what else is there.
func (r *jsonReader) serverInfo(doc *document) error {
	var info struct{ ContextPath string }
	data, err := r.value()
	_ = json.Unmarshal(data, &info)
	doc.contextPath = info.ContextPath
	return err
}

func (r *jsonReader) skip() error {
	_, err := r.value()
	return err
}

// skipped is any JSON value.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }
