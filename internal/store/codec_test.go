package store

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/fileid"
)

type failingWriter struct{ calls int }

func (w *failingWriter) Write(b []byte) (int, error) {
	w.calls++
	return 0, io.ErrShortWrite
}

func TestCodec(t *testing.T) {
	var buf bytes.Buffer
	e := &Encoder{w: &buf}
	long := string(bytes.Repeat([]byte("long "), 100_000))
	times := []time.Time{{}, time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC), time.Date(2126, 2, 3, 4, 5, 6, 999_999_999, time.UTC)}
	s := fileid.Stamp{Size: math.MaxInt64, ModTime: -5, Inode: math.MaxUint64}
	e.Text(long)
	e.Texts([]string{"a", "", "b"})
	e.Flag(true)
	e.Flag(false)
	for _, at := range times {
		e.Time(at)
	}
	e.Stamp(s)
	e.Text(long)
	e.Raw([]byte("raw"))
	if n := buf.Len(); n < len(long) {
		t.Errorf("only %d bytes are written: all of it is in memory", n)
	}
	must(t, e.seal())
	d, err := unseal(buf.Bytes())
	must(t, err)
	if d.Text() != long || !cmp.Equal(d.Texts(), []string{"a", "", "b"}) || !d.Flag() || d.Flag() {
		t.Error("texts or flags")
	}
	for _, want := range times {
		if got := d.Time(); got != want {
			t.Errorf("time %v, want %v", got, want)
		}
	}
	if got := d.Stamp(); got != s {
		t.Errorf("stamp %v, want %v", got, s)
	}
	b := d.Bytes()
	if string(b) != long || cap(b) != len(b) {
		t.Errorf("bytes with a capacity of %d", cap(b))
	}
	raw := make([]byte, 3)
	if d.Raw(raw); string(raw) != "raw" || d.err != nil || len(d.buf) != 0 {
		t.Errorf("raw %q, %v, %d bytes left", raw, d.err, len(d.buf))
	}

	w := &failingWriter{}
	e = &Encoder{w: w}
	e.Text(long)
	e.Text(long)
	if err := e.seal(); !errors.Is(err, io.ErrShortWrite) || w.calls != 1 {
		t.Errorf("%v after %d writes", err, w.calls)
	}
}

// What is cut short ends in an error, not in a panic or in endless work.
func TestDecoderEnds(t *testing.T) {
	reads := map[string]func(d *Decoder){
		"number": func(d *Decoder) { d.Number() }, "signed": func(d *Decoder) { d.signed() }, "text": func(d *Decoder) { d.Text() },
		"texts": func(d *Decoder) { d.Texts() }, "time": func(d *Decoder) { d.Flag(); d.Time() },
	}
	for name, read := range reads {
		for _, data := range [][]byte{nil, {0xff}, bytes.Repeat([]byte{0xff}, 9)} {
			d := &Decoder{buf: data}
			if read(d); d.err == nil {
				t.Errorf("%s of % x: no error", name, data)
			}
		}
	}
	many := &Decoder{buf: append(bytes.Repeat([]byte{0xff}, 8), 0x7f)} // more than there can be
	if many.Texts(); many.err == nil {
		t.Error("a list without end: no error")
	}
	if _, err := unseal([]byte{1, 2, 3}); err == nil {
		t.Error("three bytes have a good checksum")
	}
}

// A state, whoever wrote it, is read to its end or is an error, and a list in it takes
// no more memory than it has bytes.
func FuzzState(f *testing.F) {
	var buf bytes.Buffer
	e := &Encoder{w: &buf}
	e.Texts([]string{"a", "b"})
	e.Stamp(fileid.Stamp{Size: 1, ModTime: 2, Inode: 3})
	e.Time(time.Unix(1, 2))
	must(f, e.seal())
	f.Add(buf.Bytes(), false)
	f.Add(buf.Bytes()[:buf.Len()-4], true)
	f.Add(bytes.Repeat([]byte{0xff}, 20), true)
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		if sealed { // as if its checksum were good
			var out bytes.Buffer
			e := &Encoder{w: &out}
			e.Raw(data)
			must(t, e.seal())
			data = out.Bytes()
		}
		d, err := unseal(data)
		if err != nil {
			return
		}
		if list := d.Texts(); len(list) > len(data) {
			t.Errorf("%d texts of %d bytes", len(list), len(data))
		}
		d.Stamp()
		d.Time()
		if b := d.Bytes(); len(b) > len(data) {
			t.Errorf("%d bytes of %d", len(b), len(data))
		}
		if d.Err() != nil && len(d.buf) > 0 {
			t.Error("it goes on after an error")
		}
	})
}
