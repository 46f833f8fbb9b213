package inflate

import mathbits "math/bits"

// A table maps the next bits to an entry that has everything needed of a symbol,
// laid out as
//
//	literal:  bit 31 set, 8-15 the byte, 0-7 the code's length
//	other:    16-30 the base, 8-12 the code's length, 0-7 the same with the extra bits
//	special:  as other, with bit 15 set: the end of the block, a pointer to a longer
//	          code's entries (base where, 8-12 the width), or nothing that is valid
//
// Codes longer than a table's width go on in a second table behind the first.
const (
	literal  = 1 << 31
	special  = 1 << 15
	pointer  = special | 1<<14
	blockEnd = special | 1<<13
	invalid  = special
)

const (
	maxCode = 15  // the longest code in bits
	maxLit  = 288 // symbols; 286 and 287 have codes only
	maxDist = 32  // the same for 30 and 31

	litWidth, distWidth, preWidth = 10, 8, 7
)

// Each second table has at most 1<<(maxCode-width) entries and at least two
// symbols.
type (
	litTable  [1 << 13]uint32
	distTable [1 << 12]uint32
	preTable  [1 << preWidth]uint32
)

// build fills table for the codes of the given lengths; entry has what a symbol
// stands for, without lengths. It is false for lengths that are no code: one is
// complete, but for a single symbol of one bit, or empty.
func build(table []uint32, width uint, lengths []uint8, entry func(symbol int) uint32) bool {
	var count [maxCode + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	var next [maxCode + 1]uint32
	code, longest := uint32(0), uint(0)
	for n := uint(1); n <= maxCode; n++ {
		code <<= 1
		next[n] = code
		code += uint32(count[n])
		if count[n] > 0 {
			longest = n
		}
		if code > 1<<n {
			return false
		}
	}
	size := 1 << width
	if code != 1<<maxCode {
		if longest > 1 || count[1] > 1 {
			return false
		}
		for i := range table[:size] {
			table[i] = invalid
		}
	}
	if longest > width {
		clear(table[:size])
	}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		n := uint(n)
		code := uint(mathbits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e := entry(symbol)
		if n <= width {
			fill(table[:1<<width], code, n, e)
			continue
		}
		first := &table[code&(1<<width-1)]
		if *first == 0 {
			*first = uint32(size)<<16 | pointer | uint32(longest-width)<<8
			size += 1 << (longest - width)
		}
		second := table[*first>>16:][:1<<(longest-width)]
		fill(second, code>>width, n-width, e)
	}
	return true
}

// fill writes a symbol's entry wherever the bits start with its code.
func fill(table []uint32, code, length uint, e uint32) {
	if e&literal == 0 {
		e |= uint32(length) << 8
	}
	e += uint32(length)
	for i := code; i < uint(len(table)); i += 1 << length {
		table[i] = e
	}
}

// litEntry is what a literal or length symbol stands for (RFC 1951, 3.2.5).
func litEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return literal | uint32(symbol)<<8
	case symbol == 256:
		return blockEnd
	case symbol < 265:
		return uint32(symbol-254) << 16
	case symbol < 285:
		extra := uint32(symbol-261) / 4
		base := 3 + (4+uint32(symbol-261)%4)<<extra
		return base<<16 | extra
	case symbol == 285:
		return 258 << 16
	}
	return invalid
}

// distEntry is what a distance symbol stands for.
func distEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1) << 16
	case symbol < 30:
		extra := uint32(symbol-2) / 2
		base := 1 + (2+uint32(symbol)%2)<<extra
		return base<<16 | extra
	}
	return invalid
}

func preEntry(symbol int) uint32 { return uint32(symbol) << 16 }
