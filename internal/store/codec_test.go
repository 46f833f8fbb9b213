package store

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
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

// sample is a value of each kind.
type sample struct {
	long  string
	texts []string
	flags [2]bool
	times [3]time.Time
	stamp fileid.Stamp
	bytes []byte
	json  map[string]int
	sum   [32]byte
}

func (s *sample) code(c *Codec) {
	c.Text(&s.long)
	List(c, &s.texts, c.Text)
	c.Flag(&s.flags[0])
	c.Flag(&s.flags[1])
	for i := range s.times {
		c.Time(&s.times[i])
	}
	c.Stamp(&s.stamp)
	c.Bytes(&s.bytes)
	c.JSON(&s.json)
	c.Digest(&s.sum)
}

func newSample() *sample {
	long := strings.Repeat("long ", 100_000)
	return &sample{
		long: long, texts: []string{"a", "", "b"}, flags: [2]bool{true, false},
		times: [3]time.Time{{}, time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC), time.Date(2126, 2, 3, 4, 5, 6, 999_999_999, time.UTC)},
		stamp: fileid.Stamp{Size: math.MaxInt64, ModTime: -5, Inode: math.MaxUint64},
		bytes: []byte(long), json: map[string]int{"a": 1}, sum: [32]byte{1, 31: 32},
	}
}

func TestCodec(t *testing.T) {
	var buf bytes.Buffer
	c, want, got := &Codec{w: &buf}, newSample(), &sample{}
	want.code(c)
	if n := buf.Len(); n < len(want.long) {
		t.Errorf("only %d bytes are written: all of it is in memory", n)
	}
	must(t, c.seal())
	c, err := unseal(buf.Bytes())
	must(t, err)
	got.code(c)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" || c.err != nil || len(c.buf) != 0 {
		t.Errorf("%v, %d bytes left\n%s", c.err, len(c.buf), diff)
	}
	if cap(got.bytes) != len(got.bytes) {
		t.Errorf("bytes with a capacity of %d", cap(got.bytes))
	}

	w := &failingWriter{}
	c = &Codec{w: w}
	want.code(c)
	want.code(c)
	if err := c.seal(); !errors.Is(err, io.ErrShortWrite) || w.calls != 1 {
		t.Errorf("%v after %d writes", err, w.calls)
	}
	if len(c.buf) > 64<<10 {
		t.Errorf("%d bytes are kept after an error", len(c.buf))
	}
}

// What is cut short ends in an error, not in a panic or in endless work.
func TestReadingEnds(t *testing.T) {
	x := &sample{}
	reads := map[string]func(c *Codec){
		"number": func(c *Codec) { c.Number(new(uint64)) }, "int": func(c *Codec) { c.Int(new(int64)) }, "text": func(c *Codec) { c.Text(new(string)) },
		"texts": func(c *Codec) { List(c, &x.texts, c.Text) }, "time": func(c *Codec) { c.Flag(new(bool)); c.Time(new(time.Time)) },
		"digest": func(c *Codec) { c.Digest(&x.sum) }, "json": func(c *Codec) { c.JSON(&x.json) },
	}
	for name, read := range reads {
		for _, data := range [][]byte{nil, {0xff}, bytes.Repeat([]byte{0xff}, 9)} {
			c := &Codec{buf: data}
			if read(c); c.err == nil {
				t.Errorf("%s of % x: no error", name, data)
			}
		}
	}
	many := &Codec{buf: append(bytes.Repeat([]byte{0xff}, 9), 1)} // more than there can be
	if List(many, &x.texts, many.Text); many.err == nil {
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
	c := &Codec{w: &buf}
	newSample().code(c)
	must(f, c.seal())
	f.Add(buf.Bytes(), false)
	f.Add(buf.Bytes()[:buf.Len()-4], true)
	f.Add(bytes.Repeat([]byte{0xff}, 20), true)
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		if sealed { // as if its checksum were good
			var out bytes.Buffer
			must(t, (&Codec{w: &out, buf: bytes.Clone(data)}).seal())
			data = out.Bytes()
		}
		c, err := unseal(data)
		if err != nil {
			return
		}
		got := &sample{}
		got.code(c)
		if len(got.texts) > len(data) || len(got.bytes) > len(data) {
			t.Errorf("%d texts, and %d bytes, of %d", len(got.texts), len(got.bytes), len(data))
		}
		if c.Err() != nil && len(c.buf) > 0 {
			t.Error("it goes on after an error")
		}
	})
}
