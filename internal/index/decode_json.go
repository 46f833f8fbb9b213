package index

import (
	"bytes"
	"fmt"
	"strings"
)

// json reads an index that is JSON. It tells whether data is; if not, it may be
// YAML.
func (d *decoder) json(data []byte) (bool, error) {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \n\t\r"), []byte("{")) {
		return false, nil
	}
	if len(data) > MaxJSON {
		return false, tooLarge("JSON", len(data), MaxJSON)
	}
	s := scanner{src: string(data)}
	var notMapping bool
	// First all of it is read for syntax alone, which tells JSON from YAML and
	// finds the charts; these are decoded in parallel afterwards.
	ok := s.members(func(key string) bool {
		switch {
		case strings.EqualFold(key, "apiVersion"):
			return s.textOr(&d.apiVersion)
		case strings.EqualFold(key, "generated"):
			return s.textOr(&d.generated)
		case !strings.EqualFold(key, "entries"):
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
			d.jsonChart(&d.charts[j], s.src)
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
	return s.members(func(key string) bool {
		if !plainKey(key) {
			key = unquote(key)
		}
		s.next()
		d.charts = append(d.charts, decodedChart{name: key, at: s.pos})
		return s.skip(2)
	})
}

// jsonChart decodes the versions of c.
func (d *decoder) jsonChart(c *decodedChart, src string) {
	r := &entryReader{scanner: scanner{src, c.at}}
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
