package index

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Encoded is a whole index, ready to be served. It is immutable.
type Encoded struct {
	// YAML is what index.yaml holds: block YAML or, by the format, JSON (then the
	// same slices as JSON has).
	YAML Body
	// JSON is one line a version.
	JSON Body
	// Generated is the newest entry's Created, and Epoch in an empty index: the
	// same entries give the same bytes.
	Generated time.Time
	// Charts counts names, Versions entries.
	Charts, Versions int
}

// Body is one form of the index.
type Body struct {
	// Data is the text, Gzip the same as one gzip member.
	Data, Gzip []byte
	// ETag and GzipETag are quoted, strong validators of Data and Gzip.
	ETag, GzipETag string
}

// Epoch is when an empty index was generated.
func Epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// Encode assembles the index. What did not change since the last call is copied,
// not encoded; without any change the result is the last one. The Builder's own
// parts become parts of the result, so that the memory is held once and that of
// earlier results is free as soon as their readers are done.
func (b *Builder) Encode() *Encoded { return b.encode(true) }

// EncodePlain is Encode without what takes it longest: the bodies' Gzip, and
// GzipETag, are empty where they are not there yet. It is for who serves nothing,
// or serves that soon.
func (b *Builder) EncodePlain() *Encoded { return b.encode(false) }

func (b *Builder) encode(zip bool) *Encoded {
	if b.last != nil && (b.last.JSON.Gzip != nil || !zip) {
		return b.last
	}
	plain := b.last // all of it stays, but for what is compressed
	if plain == nil {
		plain = &Encoded{}
	}
	b.work = work{}
	order := b.sorted()
	e := &Encoded{Charts: len(order), Versions: b.versions, Generated: Epoch()}
	pieces := make([]*piece, 0, len(order))
	for i, c := range order {
		pieces = append(pieces, c.pieces...)
		if i == 0 || c.newest.After(e.Generated) {
			e.Generated = c.newest
		}
	}
	e.JSON = b.body(asJSON, pieces, layoutOf(asJSON, len(order), e.Generated), plain.JSON.Data, zip)
	if b.format == JSON || b.format == Auto && b.versions > AutoLimit {
		for _, p := range pieces {
			p.forms[asYAML].data, p.forms[asYAML].seg = nil, nil
		}
		e.YAML = e.JSON
	} else {
		b.writeYAML(pieces)
		e.YAML = b.body(asYAML, pieces, layoutOf(asYAML, len(order), e.Generated), plain.YAML.Data, zip)
	}
	b.last = e
	return e
}

// writeYAML makes the YAML of those pieces that have none.
func (b *Builder) writeYAML(pieces []*piece) {
	var todo []*piece
	for _, p := range pieces {
		if p.forms[asYAML].data == nil {
			todo = append(todo, p)
		}
	}
	b.work.pieces = len(todo)
	parallel(len(todo), func(i int) {
		from := todo[i].forms[asJSON].data
		todo[i].forms[asYAML].data = appendPieceYAML(make([]byte, 0, len(from)+len(from)/2), from)
	})
}

// body assembles one form of the index and points the pieces at their place in it.
// data is its text, where that is there already.
func (b *Builder) body(form int, pieces []*piece, l layout, data []byte, zip bool) Body {
	if data == nil {
		data = join(form, pieces, l)
	}
	var segments []*segment
	var todo []job
	at := len(l.head)
	start, from := 0, at // the segment's first piece, and where its text begins
	for i, p := range pieces {
		if p.first && i > 0 {
			at += len(l.comma)
		}
		end := at + len(p.forms[form].data)
		p.forms[form].data = data[at:end:end]
		at = end
		if !p.cut && i < len(pieces)-1 {
			continue
		}
		seg, ok := kept(form, pieces[start:i+1], start == 0)
		if !ok || zip && seg.gzip == nil {
			todo = append(todo, job{seg, data[from:at]})
		}
		segments = append(segments, seg)
		start, from = i+1, at
	}
	b.work.segments += len(todo)
	b.finish(todo, zip)
	return assemble(data, segments, l, zip)
}

// join puts the text together. bytes.Join, unlike make, does not clear the memory
// first, which is a quarter of the work at 70 MB.
func join(form int, pieces []*piece, l layout) []byte {
	parts := make([][]byte, 0, 2*len(pieces)+2)
	parts = append(parts, []byte(l.head))
	comma := []byte(l.comma)
	for i, p := range pieces {
		if p.first && i > 0 && len(comma) > 0 {
			parts = append(parts, comma)
		}
		parts = append(parts, p.forms[form].data)
	}
	return bytes.Join(append(parts, []byte(l.tail)), nil)
}

// parallel calls do(0) to do(n-1) on as many processors as there are.
func parallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wg.Wait()
}
