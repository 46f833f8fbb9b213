package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"chartserve/internal/fileid"
)

// Encoder writes the state: numbers as varints, everything else behind its length.
// The state is read at each start, so its form is made to be read fast. An error of
// the writer is kept and ends SaveState.
type Encoder struct {
	w   io.Writer
	buf []byte // not handed to w yet
	sum uint32 // CRC-32C of what was
	err error
}

// spill hands the buffer on once it holds that many bytes, so that a large state is
// never whole in memory.
func (e *Encoder) spill(least int) {
	if len(e.buf) < least {
		return
	}
	e.sum = crc32.Update(e.sum, castagnoli, e.buf)
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

// Number writes a number that is mostly small.
func (e *Encoder) Number(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }

// Raw writes bytes whose number the reader knows.
func (e *Encoder) Raw(b []byte) { e.buf = append(e.buf, b...) }

// Text writes a string.
func (e *Encoder) Text(s string) {
	e.Number(uint64(len(s)))
	e.buf = append(e.buf, s...)
	e.spill(64 << 10)
}

// Texts writes a list of strings.
func (e *Encoder) Texts(list []string) {
	e.Number(uint64(len(list)))
	for _, s := range list {
		e.Text(s)
	}
}

// Flag writes a bool.
func (e *Encoder) Flag(b bool) {
	if b {
		e.Number(1)
	} else {
		e.Number(0)
	}
}

// Time writes an instant; it is read in UTC. A zero time stays zero.
func (e *Encoder) Time(t time.Time) {
	if e.Flag(!t.IsZero()); !t.IsZero() {
		e.buf = binary.AppendVarint(e.buf, t.Unix())
		e.Number(uint64(t.Nanosecond()))
	}
}

// Stamp writes a file's stamp.
func (e *Encoder) Stamp(s fileid.Stamp) {
	e.Number(uint64(s.Size))
	e.buf = binary.AppendVarint(e.buf, s.ModTime)
	e.Number(s.Inode)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal writes the rest, and a checksum of all.
func (e *Encoder) seal() error {
	e.spill(0)
	if e.err != nil {
		return e.err
	}
	_, err := e.w.Write(binary.BigEndian.AppendUint32(nil, e.sum))
	return err
}

// Decoder reads what an Encoder wrote, in the same order. After an error every
// method returns zero values, so that Err need be asked once at the end, and in loops.
type Decoder struct {
	buf []byte
	err error
}

// errState is the error of a state that is not what an Encoder wrote.
var errState = errors.New("it is damaged")

// unseal checks the checksum.
func unseal(data []byte) (*Decoder, error) {
	n := len(data) - 4
	if n < 0 || binary.BigEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) {
		return nil, errState
	}
	return &Decoder{buf: data[:n]}, nil
}

// Err returns the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// Fail makes err the first error, unless it is nil or there was one.
func (d *Decoder) Fail(err error) {
	if d.err == nil && err != nil {
		d.buf, d.err = nil, err
	}
}

// Number reads a Number.
func (d *Decoder) Number() uint64 {
	n, size := binary.Uvarint(d.buf)
	if size <= 0 {
		d.Fail(errState)
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

func (d *Decoder) signed() int64 {
	n, size := binary.Varint(d.buf)
	if size <= 0 {
		d.Fail(errState)
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

func (d *Decoder) take(n uint64) []byte {
	if n > uint64(len(d.buf)) {
		d.Fail(errState)
		return nil
	}
	b := d.buf[:n]
	d.buf = d.buf[n:]
	return b
}

// Raw fills a slice with bytes that Encoder.Raw wrote.
func (d *Decoder) Raw(into []byte) { copy(into, d.take(uint64(len(into)))) }

// Text reads a Text.
func (d *Decoder) Text() string { return string(d.take(d.Number())) }

// Bytes reads a Text without copying it: the state stays in memory as long as they do.
func (d *Decoder) Bytes() []byte {
	b := d.take(d.Number())
	return b[:len(b):len(b)]
}

// Flag reads a Flag.
func (d *Decoder) Flag() bool { return d.Number() == 1 }

// Stamp reads a Stamp.
func (d *Decoder) Stamp() fileid.Stamp {
	return fileid.Stamp{Size: int64(d.Number()), ModTime: d.signed(), Inode: d.Number()}
}

// Texts reads Texts.
func (d *Decoder) Texts() []string {
	var list []string
	for n := d.Number(); n > 0 && d.err == nil; n-- {
		list = append(list, d.Text())
	}
	return list
}

// Time reads a Time.
func (d *Decoder) Time() time.Time {
	if !d.Flag() {
		return time.Time{}
	}
	sec := d.signed()
	return time.Unix(sec, int64(d.Number())).UTC()
}
