package pkgr

import (
	"bytes"
	"encoding/binary"
	"io"

	"chartserve/internal/inflate"
)

// Most archives are small: those are decompressed in one go, which takes little
// more than half the time of a stream, and bounds the memory.
const (
	maxWhole   = 1 << 20 // bytes of an archive
	maxContent = 4 << 20 // bytes of its tar
)

// whole is the memory for one small archive.
type whole struct {
	in      []byte
	out     []byte
	decoder inflate.Decoder
}

// fill reads r up to its end or as much as fits. next gives everything of r, again
// or for the first time; all tells that it is in w.in.
func (w *whole) fill(r io.Reader) (next io.Reader, all bool) {
	if w.in == nil {
		w.in = make([]byte, 0, 64<<10)
	}
	w.in = w.in[:0]
	for {
		n, err := r.Read(w.in[len(w.in):cap(w.in)])
		w.in = w.in[:len(w.in)+n]
		switch {
		case err == io.EOF:
			return bytes.NewReader(w.in), true
		case err != nil:
			return io.MultiReader(bytes.NewReader(w.in), broken{err}), false
		case len(w.in) == maxWhole:
			return io.MultiReader(bytes.NewReader(w.in), r), false
		case len(w.in) == cap(w.in):
			w.in = append(make([]byte, 0, min(4*cap(w.in), maxWhole)), w.in...)
		}
	}
}

// inflate decompresses w.in when it is one good gzip member of at most limit bytes
// with nothing behind. What is wrong with others, the stream finds out.
func (w *whole) inflate(limit int64) (data []byte, ok bool) {
	limit = min(limit, maxContent)
	// One member ends in its size: nothing is spent on what is too large.
	if n := len(w.in) - 4; n < 0 || int64(binary.LittleEndian.Uint32(w.in[n:])) > limit {
		return nil, false
	}
	out, rest, err := w.decoder.Gzip(w.out, w.in, int(limit))
	if err != nil || len(rest) > 0 {
		return nil, false
	}
	w.out = out
	return out, true
}

// broken is a reader that has failed.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
