package index

import (
	"bytes"
	"crypto/sha256"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
)

// segment is successive pieces in one form, compressed: deflate blocks that refer
// to nothing before them and end on a byte, so that segments in sequence are one
// deflate stream. One version more then costs 80 times less than compressing the whole
// index of 10,000 anew, 170 times less at 100,000.
type segment struct {
	pieces  int
	leading bool // the index's first: no comma before it
	size    int
	crc     uint32
	shift   uint32 // crcShift of size
	sum     [sha256.Size]byte
	gzip    []byte // nil: it was not asked for yet
	gzipSum [sha256.Size]byte
}

// job is a segment to be finished from its text.
type job struct {
	seg   *segment
	texts [][]byte
}

// kept returns the segment of pieces: the one that they all have, and no others do;
// or else, with false, a new one that is yet to be finished.
func kept(form int, pieces []*piece, leading bool) (*segment, bool) {
	seg := pieces[0].forms[form].seg
	ok := seg != nil && seg.pieces == len(pieces) && seg.leading == leading
	for _, p := range pieces {
		ok = ok && p.forms[form].seg == seg
	}
	if ok {
		return seg, true
	}
	seg = &segment{pieces: len(pieces), leading: leading}
	for _, p := range pieces {
		p.forms[form].seg = seg
	}
	return seg, false
}

// level is deflate's: 9 makes a body 3% smaller and takes five times as long.
const level = 6

type compressor struct {
	buf bytes.Buffer
	w   *flate.Writer
}

// finish does the jobs, in parallel.
func (b *Builder) finish(todo []job, zip bool) {
	parallel(len(todo), func(i int) {
		todo[i].sum()
		if !zip {
			return
		}
		c, ok := b.compressors.Get().(*compressor)
		if !ok {
			c = new(compressor)
			c.w, _ = flate.NewWriter(&c.buf, level) // fails for other levels only
		}
		c.compress(todo[i])
		b.compressors.Put(c)
	})
}

// sum computes what is known of a segment without compressing it.
func (j job) sum() {
	if j.seg.size > 0 {
		return // it is known
	}
	sum := sha256.New()
	for _, t := range j.texts {
		j.seg.size += len(t)
		j.seg.crc = crc32.Update(j.seg.crc, crc32.IEEETable, t)
		sum.Write(t)
	}
	j.seg.shift = crcShift(j.seg.size)
	sum.Sum(j.seg.sum[:0])
}

func (c *compressor) compress(j job) {
	c.buf.Reset()
	c.w.Reset(&c.buf)
	// A bytes.Buffer takes everything; flate has no other errors.
	for _, t := range j.texts {
		c.w.Write(t)
	}
	c.w.Flush()
	j.seg.gzip = bytes.Clone(c.buf.Bytes())
	j.seg.gzipSum = sha256.Sum256(j.seg.gzip)
}
