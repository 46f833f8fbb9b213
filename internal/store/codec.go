package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"chartserve/internal/fileid"
)

// Codec writes the state or reads it: the same calls in the same sequence do both, each
// with a pointer to what is filled in, or written and left as it is. The state is read at each start, so its
// form is made to be read fast: numbers are varints, everything else stands behind its
// length. After an error every method does nothing, so that Err need be asked once at the
// end.
type Codec struct {
	w   io.Writer // nil: it reads
	buf []byte    // not handed to w yet; not read yet
	sum uint32    // CRC-32C of what w got
	err error
}

// errState is the error of a state that no Codec wrote.
var errState = errors.New("it is damaged")

// Reading reports whether it reads.
func (c *Codec) Reading() bool { return c.w == nil }

// Err returns the first error, or nil.
func (c *Codec) Err() error { return c.err }

// Fail makes err the first error, unless it is nil or there was one.
func (c *Codec) Fail(err error) {
	if c.err == nil && err != nil {
		c.buf, c.err = nil, err
	}
}

// spill hands the buffer on once it holds that many bytes, so that a large state is
// never whole in memory.
func (c *Codec) spill(least int) {
	if len(c.buf) < least {
		return
	}
	if c.err != nil {
		c.buf = nil
		return
	}
	c.sum = crc32.Update(c.sum, castagnoli, c.buf)
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	c.Fail(err)
}

// skip drops size bytes that were read; size is not positive where there are none.
func (c *Codec) skip(size int) {
	if size <= 0 {
		c.Fail(errState)
		return
	}
	c.buf = c.buf[size:]
}

// Number is a number that is mostly small.
func (c *Codec) Number(n *uint64) {
	if !c.Reading() {
		c.buf = binary.AppendUvarint(c.buf, *n)
		return
	}
	v, size := binary.Uvarint(c.buf)
	*n = v
	c.skip(size)
}

// Int is a number of either sign.
func (c *Codec) Int(n *int64) {
	if !c.Reading() {
		c.buf = binary.AppendVarint(c.buf, *n)
		return
	}
	v, size := binary.Varint(c.buf)
	*n = v
	c.skip(size)
}

// Bytes are read without copying them: the state stays in memory as long as they do.
func (c *Codec) Bytes(b *[]byte) {
	n := uint64(len(*b))
	c.Number(&n)
	if !c.Reading() {
		c.buf = append(c.buf, *b...)
		c.spill(64 << 10)
		return
	}
	if n > uint64(len(c.buf)) {
		c.Fail(errState)
		n = 0
	}
	*b, c.buf = c.buf[:n:n], c.buf[n:]
}

// Digest is a SHA-256.
func (c *Codec) Digest(d *[32]byte) {
	if !c.Reading() {
		c.buf = append(c.buf, d[:]...)
		return
	}
	if copy(d[:], c.buf) < len(d) {
		c.Fail(errState)
		return
	}
	c.skip(len(d))
}

// Text is a string.
func (c *Codec) Text(s *string) {
	if !c.Reading() {
		b := []byte(*s)
		c.Bytes(&b)
		return
	}
	var b []byte
	c.Bytes(&b)
	*s = string(b)
}

// Flag is a bool.
func (c *Codec) Flag(b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	if c.Number(&n); c.Reading() {
		*b = n == 1
	}
}

// Time is an instant; it is read in UTC. A zero time stays zero.
func (c *Codec) Time(t *time.Time) {
	known := !t.IsZero()
	sec, nsec := t.Unix(), uint64(t.Nanosecond())
	if c.Flag(&known); known {
		c.Int(&sec)
		c.Number(&nsec)
	}
	switch {
	case !c.Reading():
	case known:
		*t = time.Unix(sec, int64(nsec)).UTC()
	default:
		*t = time.Time{}
	}
}

// Stamp is a file's stamp.
func (c *Codec) Stamp(s *fileid.Stamp) {
	c.Int(&s.Size)
	c.Int(&s.ModTime)
	c.Number(&s.Inode)
}

// JSON is a value in its JSON form.
func (c *Codec) JSON(v any) {
	var data []byte
	if !c.Reading() {
		var err error
		data, err = json.Marshal(v)
		c.Fail(err)
	}
	if c.Bytes(&data); c.Reading() && c.err == nil {
		c.Fail(json.Unmarshal(data, v))
	}
}

// List is a list; item writes or reads one element.
func List[T any](c *Codec, list *[]T, item func(*T)) {
	n := uint64(len(*list))
	c.Number(&n)
	for i := uint64(0); i < n && c.err == nil; i++ {
		if c.Reading() {
			var zero T
			*list = append(*list, zero)
		}
		item(&(*list)[i])
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal writes the rest, and a checksum of all.
func (c *Codec) seal() error {
	if c.spill(0); c.err != nil {
		return c.err
	}
	_, err := c.w.Write(binary.BigEndian.AppendUint32(nil, c.sum))
	return err
}

// unseal checks the checksum, and returns a Codec that reads.
func unseal(data []byte) (*Codec, error) {
	n := len(data) - 4
	if n < 0 || binary.BigEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) {
		return nil, errState
	}
	return &Codec{buf: data[:n]}, nil
}
