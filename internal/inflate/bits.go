package inflate

import "encoding/binary"

// bits reads src bit by bit, the lowest of a byte first. Behind the end of src it
// gives zeros: whoever reads asks overrun now and then.
type bits struct {
	src  []byte
	at   int    // what of src is in held
	held uint64 // the next bits, lowest first; those above have may be any that are right
	have uint   // how many of held count
}

// refill gives at least 56 bits.
func (b *bits) refill() {
	if b.at+8 <= len(b.src) {
		b.held |= binary.LittleEndian.Uint64(b.src[b.at:]) << (b.have & 63)
		b.at += int((63 - b.have) >> 3)
		b.have |= 56
		return
	}
	b.refillAtEnd()
}

func (b *bits) refillAtEnd() {
	for ; b.have <= 56; b.have += 8 {
		if b.at < len(b.src) {
			b.held |= uint64(b.src[b.at]) << b.have
		}
		b.at++
	}
}

// take gives the next n bits, which have been refilled.
func (b *bits) take(n uint) uint32 {
	v := uint32(b.held & (1<<n - 1))
	b.held >>= n
	b.have -= n
	return v
}

// consumed is how many bytes of src were used, one used in part included.
func (b *bits) consumed() int { return b.at - int(b.have>>3) }

// overrun tells that more bits were taken than there are.
func (b *bits) overrun() bool { return b.consumed() > len(b.src) }

// align drops the rest of a byte used in part, and what is held.
func (b *bits) align() {
	b.at = b.consumed()
	b.held, b.have = 0, 0
}
