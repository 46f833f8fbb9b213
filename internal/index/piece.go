package index

import (
	"bytes"
	"hash/crc32"
	"slices"
	"strconv"
	"time"
)

// The encoded forms of the index.
const (
	asJSON = iota
	asYAML
	forms
)

// piece is the least that is encoded and shared: successive versions of one chart.
// A chart with few versions is one piece; long lists are cut, so that one version
// more among thousands costs no more than elsewhere.
//
// As JSON the pieces of a chart read, in sequence,
//
//	,"nova":[\n{...},\n{...}  ,\n{...},\n{...}  ,\n{...}\n]
//
// and as YAML the chart's name with its versions below. The index's first piece
// has no comma.
type piece struct {
	// name is the chart's in its first piece, and empty in the others.
	name string
	// cut says that a segment ends with this piece.
	cut   bool
	forms [forms]struct {
		// data is made once, and never changed. YAML is made from JSON when it is asked
		// for.
		data []byte
		// seg is the segment that the piece was last compressed in.
		seg *segment
	}
}

// text is the piece in one form; leading says that it is the index's first.
func (p *piece) text(form int, leading bool) []byte {
	if leading && form == asJSON {
		return p.forms[form].data[1:]
	}
	return p.forms[form].data
}

// block is all versions of one chart.
type block struct {
	name     string
	pieces   []*piece // none: the chart was deleted
	versions int
	newest   time.Time
}

// makePieces encodes the versions of one chart, which are in order.
func makePieces(name string, entries []*Entry) []*piece {
	size := 6*len(name) + len(`,"":[`) + len("\n]")
	for _, e := range entries {
		size += len(",\n") + len(e.Record)
	}
	buf := make([]byte, 0, size)
	buf = append(append(append(buf, ','), quote(name)...), ":["...)
	var pieces []*piece
	start := 0
	for i, e := range entries {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, '\n')
		buf = append(buf, e.Record...)
		last := i == len(entries)-1
		if last {
			buf = append(buf, "\n]"...)
		}
		if cut := cutAfter(e.Record); cut || last {
			p := &piece{cut: cut}
			if len(pieces) == 0 {
				p.name = name
			}
			p.forms[asJSON].data = slices.Clip(buf[start:])
			pieces, start = append(pieces, p), len(buf)
		}
	}
	return pieces
}

// segmentSize is about how much JSON is compressed together. More compresses
// better (up to deflate's window of 32 KiB) and costs more at each change.
const segmentSize = 48 << 10

// cutAfter reports whether a segment ends behind record. The record alone decides,
// with a chance in proportion to its size, so that segments are of about
// segmentSize, and are the same whatever the order in which versions came and
// went. A segment's compressed bytes depend on where it begins: the ETag of the
// gzip body would differ between replicas if history had a part in it.
func cutAfter(record []byte) bool {
	hash := crc32.ChecksumIEEE(record) * 0x9E3779B1 // spread what a CRC leaves alike
	return uint64(hash)*segmentSize < uint64(len(record))<<32
}

// keep replaces the pieces at both ends of list that are as they were in old by
// those of old, which are encoded and compressed already. It reports whether nothing
// changed. The new ones then hold no more than themselves.
func keep(old, list []*piece) (unchanged bool) {
	// The text says it all: the last record decides on cut, and only the last piece
	// closes the list.
	same := func(a, b *piece) bool { return bytes.Equal(a.forms[asJSON].data, b.forms[asJSON].data) }
	n := min(len(old), len(list))
	front := 0
	for front < n && same(old[front], list[front]) {
		list[front] = old[front]
		front++
	}
	back := 0
	for back < n-front && same(old[len(old)-back-1], list[len(list)-back-1]) {
		back++
		list[len(list)-back] = old[len(old)-back]
	}
	if front+back > 0 {
		for _, p := range list[front : len(list)-back] {
			p.forms[asJSON].data = bytes.Clone(p.forms[asJSON].data)
		}
	}
	return front == len(list)
}

// layout is what surrounds the pieces in one form.
type layout struct{ label, head, tail string }

const (
	entriesHead   = `{"apiVersion":"v1","entries":`
	generatedName = `,"generated":`
)

func layoutOf(form int, charts int, generated time.Time, contextPath string) layout {
	stamp := strconv.Quote(generated.Format(time.RFC3339Nano))
	var jsonInfo, yamlInfo string
	if contextPath != "" {
		jsonInfo = `,"serverInfo":{"contextPath":` + string(quote(contextPath)) + `}`
		yamlInfo = "serverInfo:\n  contextPath: " + string(quote(contextPath)) + "\n"
	}
	if form == asJSON {
		return layout{"json", entriesHead + "{", "}" + generatedName + stamp + jsonInfo + "}\n"}
	}
	l := layout{"yaml", "apiVersion: v1\nentries:\n", "generated: " + stamp + "\n" + yamlInfo}
	if charts == 0 {
		l.head = "apiVersion: v1\nentries: {}\n"
	}
	return l
}
