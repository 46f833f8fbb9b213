package index

import (
	"bytes"
	"fmt"
	"strings"
)

// json reads an index that is JSON. It tells whether data is; if not, it may be
// YAML.
func (d *decoder) json(data []byte) (bool, error) {
	s := scanner{data: data}
	if s.next() != '{' {
		return false, nil
	}
	if len(data) > MaxJSON {
		return false, tooLarge("JSON", len(data), MaxJSON)
	}
	var notMapping bool
	// First all of it is read for syntax alone, which tells JSON from YAML and
	// finds the charts; these are decoded in parallel afterwards.
	ok := s.members(func(key []byte) bool {
		switch {
		case strings.EqualFold(string(key), "apiVersion"):
			return s.textOr(&d.apiVersion)
		case strings.EqualFold(string(key), "generated"):
			return s.textOr(&d.generated)
		case !strings.EqualFold(string(key), "entries"):
			return s.skip(1)
		case s.next() != '{':
			notMapping = s.next() != 'n' // null is a mapping without members
			return s.skip(1)
		}
		d.hasEntries = true
		return d.jsonCharts(&s)
	})
	if !ok || s.next() != 0 || s.pos < len(data) {
		d.charts, d.hasEntries = nil, false
		return false, nil
	}
	if notMapping {
		return false, fmt.Errorf("%w: entries is not a mapping", ErrIndex)
	}
	if err := d.check(); err != nil {
		return false, err
	}
	parallel((len(d.charts)+batch-1)/batch, func(i int) {
		for j := i * batch; j < min(i*batch+batch, len(d.charts)); j++ {
			d.jsonChart(&d.charts[j], data)
		}
	})
	return true, nil
}

// batch is how many charts are decoded in a row.
const batch = 16

// textOr reads a string into v; any other value is read and forgotten.
func (s *scanner) textOr(v *string) bool {
	if s.next() != '"' {
		return s.skip(1)
	}
	text, ok := s.text()
	*v = text
	return ok
}

// jsonCharts finds the charts in entries.
func (d *decoder) jsonCharts(s *scanner) bool {
	return s.members(func(key []byte) bool {
		name := string(key)
		if bytes.IndexByte(key, '\\') >= 0 {
			name = unquote(key)
		}
		s.next()
		d.charts = append(d.charts, decodedChart{name: toUTF8(name), at: s.pos})
		return s.skip(2)
	})
}

// jsonChart decodes the versions of c.
func (d *decoder) jsonChart(c *decodedChart, data []byte) {
	r := &entryReader{scanner: scanner{data, c.at}}
	switch r.next() {
	case 'n': // null: no versions
		return
	case '[':
	default:
		d.skip(c, -1, errNotList)
		return
	}
	seen := make(map[string]bool)
	i := 0
	r.items(func() bool {
		ok := d.add(c, r, i, seen)
		i++
		return ok
	})
}
