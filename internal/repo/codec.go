package repo

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"chartserve/internal/fileid"
)

// encoder writes the state's form to w: numbers as varints, everything else
// behind its length. It is read at each start, so it is made to be read fast.
type encoder struct {
	w   io.Writer
	buf []byte // what was not handed to w yet
	sum uint32
	err error
}

// spill hands on what has gathered, once that is worth it, so that a large state
// is never whole in memory.
func (e *encoder) spill(least int) {
	if len(e.buf) < least {
		return
	}
	e.sum = crc32.Update(e.sum, castagnoli, e.buf)
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) number(n uint64) { e.buf = binary.AppendUvarint(e.buf, n) }
func (e *encoder) raw(b []byte)    { e.buf = append(e.buf, b...) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.buf = append(e.buf, s...)
	e.spill(64 << 10)
}

func (e *encoder) texts(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) flag(b bool) {
	if b {
		e.number(1)
	} else {
		e.number(0)
	}
}

// time keeps a zero time zero.
func (e *encoder) time(t time.Time) {
	if e.flag(!t.IsZero()); !t.IsZero() {
		e.buf = binary.AppendVarint(e.buf, t.Unix())
		e.number(uint64(t.Nanosecond()))
	}
}

func (e *encoder) stamp(s fileid.Stamp) {
	e.number(uint64(s.Size))
	e.buf = binary.AppendVarint(e.buf, s.ModTime)
	e.number(s.Inode)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal writes the rest, and a checksum of all.
func (e *encoder) seal() error {
	e.spill(0)
	if e.err != nil {
		return e.err
	}
	_, err := e.w.Write(binary.BigEndian.AppendUint32(nil, e.sum))
	return err
}

// decoder reads what encoder wrote. After the first error it gives zero values.
type decoder struct {
	buf []byte
	err error
}

var errState = errors.New("it is damaged")

// unseal checks the checksum.
func unseal(data []byte) (*decoder, error) {
	n := len(data) - 4
	if n < 0 || binary.BigEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) {
		return nil, errState
	}
	return &decoder{buf: data[:n]}, nil
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.buf)
	if size <= 0 {
		d.buf, d.err = nil, errState
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

func (d *decoder) signed() int64 {
	n, size := binary.Varint(d.buf)
	if size <= 0 {
		d.buf, d.err = nil, errState
		return 0
	}
	d.buf = d.buf[size:]
	return n
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.buf)) {
		d.buf, d.err = nil, errState
		return nil
	}
	b := d.buf[:n]
	d.buf = d.buf[n:]
	return b
}

func (d *decoder) raw(into []byte) { copy(into, d.take(uint64(len(into)))) }
func (d *decoder) text() string    { return string(d.take(d.number())) }

// bytes stay part of what is decoded: they are not copied.
func (d *decoder) bytes() []byte {
	b := d.take(d.number())
	return b[:len(b):len(b)]
}

func (d *decoder) flag() bool { return d.number() == 1 }
func (d *decoder) stamp() fileid.Stamp {
	return fileid.Stamp{Size: int64(d.number()), ModTime: d.signed(), Inode: d.number()}
}

func (d *decoder) texts() []string {
	var list []string
	for n := d.number(); n > 0 && d.err == nil; n-- {
		list = append(list, d.text())
	}
	return list
}

func (d *decoder) time() time.Time {
	if !d.flag() {
		return time.Time{}
	}
	sec := d.signed()
	return time.Unix(sec, int64(d.number())).UTC()
}
