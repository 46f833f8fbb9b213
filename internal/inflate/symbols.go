package inflate

import (
	"encoding/binary"
	"io"
)

// slack is how much one round of symbols can write: three literals, a match
// of 258 bytes, and what copying whole words writes beyond.
const slack = 3 + 258 + 16

// symbols decompresses the symbols of one block behind dst[:n], up to its end. The
// state is in local variables and nothing is in functions of its own: it is all about
// registers.
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
			dst[n] = byte(e >> 8)
			n++
			e = lit[held&(1<<litWidth-1)]
			if e&literal != 0 {
				held >>= e & 63
				have -= uint(e & 63)
				dst[n] = byte(e >> 8)
				n++
				e = lit[held&(1<<litWidth-1)]
				if e&literal != 0 {
					held >>= e & 63
					have -= uint(e & 63)
					dst[n] = byte(e >> 8)
					n++
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
	const longest = 258 + 16
	to, from := dst[n:][:longest], dst[n-back:][:longest]
	if back < 8 {
		for i := range 16 {
			to[i] = from[i]
		}
		// What repeats every 3 bytes repeats every 9, too, and a word fits in that.
		back = int("\x00\x08\x08\x09\x08\x0a\x0c\x0e"[back])
		for i := 16; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(to[i-back:]))
		}
		return
	}
	// Most are short. What is read may have just been written.
	binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(from))
	binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(from[8:]))
	for i := 16; i < length; i += 8 {
		binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
	}
}
