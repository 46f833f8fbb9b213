package inflate

import "io"

// blocks decompresses a DEFLATE stream (RFC 1951) into dst.
func (d *Decoder) blocks(dst []byte, b *bits, limit int) ([]byte, error) {
	n := 0
	for last := false; !last; {
		b.refill()
		last = b.take(1) == 1
		var err error
		switch b.take(2) {
		case 0:
			dst, n, err = stored(dst, n, b, limit)
		case 1:
			d.fixed()
			dst, n, err = d.symbols(dst, n, b, limit)
		case 2:
			if err = d.dynamic(b); err == nil {
				dst, n, err = d.symbols(dst, n, b, limit)
			}
		default:
			err = ErrCorrupt
		}
		if b.overrun() {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
	return dst[:n], nil
}

// stored copies a block that is not compressed.
func stored(dst []byte, n int, b *bits, limit int) ([]byte, int, error) {
	b.align()
	if len(b.src)-b.at < 4 {
		return dst, n, io.ErrUnexpectedEOF
	}
	head := b.src[b.at:]
	size := int(head[0]) | int(head[1])<<8
	if size^0xffff != int(head[2])|int(head[3])<<8 {
		return dst, n, ErrCorrupt
	}
	if head = head[4:]; len(head) < size {
		return dst, n, io.ErrUnexpectedEOF
	}
	if n+size > limit {
		return dst, n, ErrLimit
	}
	dst = grow(dst, n, size+slack, limit)
	b.at += 4 + size
	return dst, n + copy(dst[n:], head[:size]), nil
}

// grow makes room for size bytes behind n, which is at most limit.
func grow(dst []byte, n, size, limit int) []byte {
	if len(dst)-n >= size {
		return dst
	}
	bigger := make([]byte, max(n+size, min(2*len(dst), limit+slack)))
	copy(bigger, dst[:n])
	return bigger
}

// fixed sets the tables for a block with the codes of RFC 1951, 3.2.6.
func (d *Decoder) fixed() {
	for i := range maxLit {
		switch {
		case i < 144:
			d.lengths[i] = 8
		case i < 256:
			d.lengths[i] = 9
		case i < 280:
			d.lengths[i] = 7
		default:
			d.lengths[i] = 8
		}
	}
	for i := range maxDist {
		d.lengths[maxLit+i] = 5
	}
	d.build(maxLit, maxDist)
}

// build sets the tables from the first lengths.
func (d *Decoder) build(lits, dists int) bool {
	if !build(d.lit[:], litWidth, d.lengths[:lits], litEntry) {
		return false
	}
	return build(d.dist[:], distWidth, d.lengths[lits:lits+dists], distEntry)
}

// dynamic reads the tables of a block that has its own codes (RFC 1951, 3.2.7).
func (d *Decoder) dynamic(b *bits) error {
	lits, dists, pres := int(b.take(5))+257, int(b.take(5))+1, int(b.take(4))+4
	if lits > maxLit-2 || dists > maxDist-2 {
		return ErrCorrupt
	}
	var lengths [19]uint8
	for i := range pres {
		b.refill()
		lengths["\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"[i]] = uint8(b.take(3))
	}
	if !build(d.pre[:], preWidth, lengths[:], preEntry) {
		return ErrCorrupt
	}
	for i := 0; i < lits+dists; {
		b.refill()
		e := d.pre[b.held&(1<<preWidth-1)]
		if e&special != 0 || b.overrun() {
			return ErrCorrupt
		}
		b.take(uint(e & 0xff))
		var length uint8
		times := 1
		switch symbol := e >> 16; symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			length, times = d.lengths[i-1], 3+int(b.take(2))
		case 17:
			times = 3 + int(b.take(3))
		case 18:
			times = 11 + int(b.take(7))
		default:
			length = uint8(symbol)
		}
		if i+times > lits+dists {
			return ErrCorrupt
		}
		for range times {
			d.lengths[i] = length
			i++
		}
	}
	if !d.build(lits, dists) {
		return ErrCorrupt
	}
	return nil
}
