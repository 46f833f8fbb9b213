package index

import (
	"bytes"
	"encoding/json"
	"strings"
)

// isJSON reports whether data is JSON and not only YAML, by Helm's own test, and an
// object. What is too large to look at counts by its first byte.
func isJSON(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \n\t\r"), []byte("{")) && (len(data) > MaxJSON || json.Valid(data))
}

// fromJSON finds the entries of an index that is valid JSON. They are slices of
// data.
func fromJSON(data []byte) (*document, error) {
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
		case !strings.EqualFold(key, "entries"):
			return r.skip()
		case r.next() == 'n': // null is a mapping without members
			doc.charts, doc.versions = nil, 0
			return r.skip()
		case r.next() != '{':
			return notIndex("entries is not a mapping")
		}
		doc.hasEntries = true
		return r.members(func(name string) error { return r.chart(doc, name) })
	})
	if err != nil {
		return nil, err
	}
	return doc, nil
}

// jsonReader walks over valid JSON.
type jsonReader struct {
	data []byte
	*json.Decoder
}

// chart reads the list of a chart's versions.
func (r *jsonReader) chart(doc *document, name string) error {
	kind := r.next()
	if err := doc.start(name, kind != '[' && kind != 'n'); err != nil {
		return err
	}
	if kind != '[' {
		return r.skip()
	}
	return r.list(func() error {
		from := r.InputOffset()
		if err := r.skip(); err != nil {
			return err
		}
		return doc.add(bytes.TrimLeft(r.data[from:r.InputOffset()], ", \n\t\r"), nil)
	})
}

// next returns the first byte of the next value.
func (r *jsonReader) next() byte {
	return bytes.TrimLeft(r.data[r.InputOffset():], ":, \n\t\r")[0]
}

// members reads an object; member reads the value of each key.
func (r *jsonReader) members(member func(key string) error) error {
	return r.list(func() error {
		key, err := r.Token()
		if err != nil {
			return err
		}
		return member(key.(string))
	})
}

// list reads an object or array; item reads each member.
func (r *jsonReader) list(item func() error) error {
	if _, err := r.Token(); err != nil {
		return err
	}
	for r.More() {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := r.Token()
	return err
}

// text reads a string into v, and forgets any other value.
func (r *jsonReader) text(v *string) error {
	if r.next() != '"' {
		return r.skip()
	}
	return r.Decode(v)
}

func (r *jsonReader) skip() error { return r.Decode(new(skipped)) }

// skipped is any JSON value.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }
