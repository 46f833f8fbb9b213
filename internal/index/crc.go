package index

import "math/bits"

// CRC-32 arithmetic, so that the checksum of a gzip member comes from those of
// its segments. A member for each segment would need none, but there are clients that
// read only the first. A CRC is a polynomial over GF(2) modulo the one of IEEE 802.3,
// held with the coefficient of x^0 in the top bit.

// crcShift is the operator that a checksum is multiplied with when n bytes follow:
// x^(8n).
func crcShift(n int) uint32 {
	op, power := uint32(1)<<31, uint32(1)<<(31-8) // x^0, x^8
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			op = crcMultiply(op, power)
		}
		power = crcMultiply(power, power)
	}
	return op
}

// crcMultiply is a times b modulo the polynomial.
func crcMultiply(a, b uint32) uint32 {
	const polynomial = 0xEDB88320
	var product uint32
	for ; a != 0; a &^= 1 << 31 {
		// Multiply b by x until it meets a's next coefficient.
		n := bits.LeadingZeros32(a)
		a <<= n
		for ; n > 0; n-- {
			b = b>>1 ^ polynomial&-(b&1)
		}
		product ^= b
	}
	return product
}

// crcCombine is the checksum of two texts in sequence: first's and second's own,
// and crcShift of the second's length.
func crcCombine(first, second, shift uint32) uint32 {
	return crcMultiply(shift, first) ^ second
}
