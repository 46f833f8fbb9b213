package index

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Encoded is a whole index, ready to be served. It is immutable.
type Encoded struct {
	// YAML is what index.yaml holds: block YAML or, by the format, JSON.
	YAML Body
	// JSON is one line a version.
	JSON Body
	// Generated is the newest entry's Created, and Builder.Empty in an empty index: the
	// same entries give the same bytes.
	Generated time.Time
	// Charts counts names, Versions entries.
	Charts, Versions int
}

// Body is one form of the index.
type Body struct {
	// Data is the text, Gzip the same as one gzip member.
	Data, Gzip Text
	// ETag and GzipETag are quoted, strong validators of Data and Gzip.
	ETag, GzipETag string
}

// Epoch is the date of what has none.
func Epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// Encode assembles the index. What did not change since the last call is part of
// both results; without any change the result is the last one.
func (b *Builder) Encode() *Encoded { return b.encode(true) }

// EncodeIdentity is Encode without what takes longest: Gzip and GzipETag of the bodies
// are empty where they are not there yet. It is for an index that nobody is served, or
// not yet.
func (b *Builder) EncodeIdentity() *Encoded { return b.encode(false) }

func (b *Builder) encode(zip bool) *Encoded {
	if b.last != nil && (b.last.JSON.GzipETag != "" || !zip) {
		return b.last
	}
	b.work = work{}
	order := b.sorted()
	e := &Encoded{Charts: len(order), Versions: b.versions, Generated: cmp.Or(b.Empty, Epoch()).UTC()}
	pieces := make([]*piece, 0, len(order))
	for i, c := range order {
		pieces = append(pieces, c.pieces...)
		if i == 0 || c.newest.After(e.Generated) {
			e.Generated = c.newest
		}
	}
	e.JSON = b.body(asJSON, pieces, layoutOf(asJSON, len(order), e.Generated, b.ContextPath), zip)
	if b.format == JSON || b.format != YAML && b.versions > AutoLimit {
		for _, p := range pieces {
			p.forms[asYAML].data, p.forms[asYAML].seg = nil, nil
		}
		e.YAML = e.JSON
	} else {
		b.writeYAML(pieces)
		e.YAML = b.body(asYAML, pieces, layoutOf(asYAML, len(order), e.Generated, b.ContextPath), zip)
	}
	b.last = e
	return e
}

// Encode returns the index of entries, in any order, without its compressed forms.
// empty is Builder.Empty.
func Encode(f Format, empty time.Time, entries []*Entry) *Encoded {
	byName := map[string][]*Entry{}
	for _, e := range entries {
		byName[e.Name] = append(byName[e.Name], e)
	}
	b := NewBuilder(f)
	b.Empty = empty
	for name, versions := range byName {
		b.Set(name, versions)
	}
	return b.EncodeIdentity()
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
		todo[i].forms[asYAML].data = bytes.Clone(todo[i].yaml()) // without the room that is left
	})
}

// Entries is the part of JSON that is the object of all versions by name.
func (e *Encoded) Entries() Text {
	parts := slices.Clone(e.JSON.Data.parts)
	last := len(parts) - 1
	parts[0] = parts[0][len(entriesHead):]
	parts[last] = parts[last][:bytes.Index(parts[last], []byte(generatedName))]
	return NewText(parts...)
}

// body assembles one form of the index.
func (b *Builder) body(form int, pieces []*piece, l layout, zip bool) Body {
	texts := make([][]byte, len(pieces))
	var segments []*segment
	var todo []job
	start := 0 // the segment's first piece
	for i, p := range pieces {
		texts[i] = p.text(form, i == 0)
		if !p.cut && i < len(pieces)-1 {
			continue
		}
		seg, ok := kept(form, pieces[start:i+1], start == 0)
		if !ok || zip && seg.gzip == nil {
			todo = append(todo, job{seg, texts[start : i+1]})
		}
		segments = append(segments, seg)
		start = i + 1
	}
	b.work.segments += len(todo)
	b.finish(todo, zip)
	return assemble(texts, segments, l, zip)
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
