package inflate

import (
	"encoding/binary"
	"io"
)

// slack is how much one round of symbols can write: three entries of two literals,
// a match of 258 bytes, and what copying whole words writes beyond.
const slack = 6 + 258 + 16

// symbols decompresses the symbols of one block behind dst[:n], up to its end. The
// state is in local variables: it is all about registers.
func (d *Decoder) symbols(dst []byte, n int, b *bits, limit int) ([]byte, int, error) {
	src, at, held, have := b.src, b.at, b.held, b.have
	lit, dist := &d.lit, &d.dist
	for {
		if len(dst)-n < slack || n > limit {
			if n > limit {
				return dst, n, ErrLimit
			}
			dst = grow(dst, n, slack, limit)
		}
		if at+8 <= len(src) {
			held |= binary.LittleEndian.Uint64(src[at:]) << (have & 63)
			at += int((63 - have) >> 3)
			have |= 56
		} else {
			*b = bits{src, at, held, have}
			if b.overrun() {
				return dst, n, io.ErrUnexpectedEOF
			}
			b.refillAtEnd()
			at, held, have = b.at, b.held, b.have
		}
		// Three codes of the table's width leave enough for a length, but not for
		// the distance that follows.
		e := lit[held&(1<<litWidth-1)]
		if e&literal != 0 {
			held >>= e & 63
			have -= uint(e & 63)
			binary.LittleEndian.PutUint16(dst[n:], uint16(e>>8))
			n += 1 + int(e>>24&1)
			e = lit[held&(1<<litWidth-1)]
			if e&literal != 0 {
				held >>= e & 63
				have -= uint(e & 63)
				binary.LittleEndian.PutUint16(dst[n:], uint16(e>>8))
				n += 1 + int(e>>24&1)
				e = lit[held&(1<<litWidth-1)]
				if e&literal != 0 {
					held >>= e & 63
					have -= uint(e & 63)
					binary.LittleEndian.PutUint16(dst[n:], uint16(e>>8))
					n += 1 + int(e>>24&1)
					continue
				}
			}
		}
		if e&special != 0 {
			if e&pointer == pointer {
				held >>= litWidth
				have -= litWidth
				e = lit[(uint64(e>>16)+held&(1<<(e>>8&7)-1))&(1<<13-1)]
				if e&literal != 0 {
					held >>= e & 63
					have -= uint(e & 63)
					dst[n] = byte(e >> 8)
					n++
					continue
				}
			}
			if e&special != 0 {
				held >>= e & 63
				have -= uint(e & 63)
				*b = bits{src, at, held, have}
				if e&blockEnd == blockEnd {
					return dst, n, nil
				}
				return dst, n, ErrCorrupt
			}
		}
		length := int(e>>16) + int(held&(1<<(e&63)-1)>>(e>>8&63))
		held >>= e & 63
		have -= uint(e & 63)
		if have < maxCode+13 {
			*b = bits{src, at, held, have}
			b.refill()
			at, held, have = b.at, b.held, b.have
		}
		e = dist[held&(1<<distWidth-1)]
		if e&special != 0 {
			if e&pointer == pointer {
				held >>= distWidth
				have -= distWidth
				e = dist[(uint64(e>>16)+held&(1<<(e>>8&7)-1))&(1<<12-1)]
			}
			if e&special != 0 {
				*b = bits{src, at, held, have}
				return dst, n, ErrCorrupt
			}
		}
		back := int(e>>16) + int(held&(1<<(e&63)-1)>>(e>>8&63))
		held >>= e & 63
		have -= uint(e & 63)
		if back > n {
			*b = bits{src, at, held, have}
			return dst, n, ErrCorrupt
		}
		repeat(dst, n, back, length)
		n += length
	}
}

// repeat copies the length bytes that stand back bytes before n to n. It may
// write up to 16 more.
func repeat(dst []byte, n, back, length int) {
	to := dst[n : n+length+16]
	switch {
	case back >= 8 && length <= 64:
		from := dst[n-back:]
		from = from[:len(to)]
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
		}
	case back >= length:
		copy(to[:length], dst[n-back:])
	default:
		for done := 0; done < length; {
			done += copy(to[done:length], dst[n-back:n+done])
		}
	}
}
