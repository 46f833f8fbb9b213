// Package ustar writes the header blocks of tar members in the ustar format
// (POSIX.1-1988, "ustar Interchange Format"). Chart archives and bundles are the
// same bytes everywhere and always, so their headers must not depend on the
// choices of a library's version; for plain files they are those of archive/tar.
//
// It only writes, and knows nothing longer than one block: a name or a number that
// ustar can't hold needs a PAX header, which the caller makes. archive/tar reads.
package ustar

import "bytes"

// Block is the unit of tar, in bytes. A tar ends with two blocks of zeros.
const Block = 512

// MaxNumber is the largest size or time that a header holds: eleven octal digits.
const MaxNumber = 1<<33 - 1

// The fields of a header: where they begin, and how long they are.
const (
	nameLen             = 100
	modeAt              = 100
	uidAt               = 108
	gidAt               = 116
	sizeAt              = 124
	mtimeAt             = 136
	checksumAt          = 148
	kindAt              = 156
	magicAt             = 257
	majorAt             = 329
	minorAt             = 337
	prefixAt, prefixLen = 345, 155

	shortLen, longLen = 8, 12 // of numbers
)

// Header is one member: mode 0644, owner 0.
type Header struct {
	// Prefix and Name are the two parts of the member's name, as Split cuts it.
	Prefix, Name []byte
	// Size is in bytes and Time in seconds since 1970, both at most MaxNumber.
	Size, Time int64
	// Kind is archive/tar's Typeflag.
	Kind byte
}

// Padding is how many zeros follow the size bytes of a member.
func Padding(size int64) int64 { return -size & (Block - 1) }

// Append appends h's block to dst.
func Append(dst []byte, h Header) []byte {
	var b [Block]byte
	copy(b[:nameLen], h.Name)
	octal(b[modeAt:modeAt+shortLen], 0o644)
	octal(b[uidAt:uidAt+shortLen], 0)
	octal(b[gidAt:gidAt+shortLen], 0)
	octal(b[sizeAt:sizeAt+longLen], h.Size)
	octal(b[mtimeAt:mtimeAt+longLen], h.Time)
	copy(b[checksumAt:], "        ") // while the sum is taken
	b[kindAt] = h.Kind
	copy(b[magicAt:], "ustar\x0000")
	octal(b[majorAt:majorAt+shortLen], 0)
	octal(b[minorAt:minorAt+shortLen], 0)
	copy(b[prefixAt:prefixAt+prefixLen], h.Prefix)
	var sum int64
	for _, c := range b {
		sum += int64(c)
	}
	octal(b[checksumAt:checksumAt+shortLen-1], sum) // and a blank
	return append(dst, b[:]...)
}

// octal fills b with v, padded with zeros and ended by a NUL.
func octal(b []byte, v int64) {
	b[len(b)-1] = 0
	for i := len(b) - 2; i >= 0; i-- {
		b[i] = '0' + byte(v&7)
		v >>= 3
	}
}

// Split splits a name that is too long for its field at a slash, where archive/tar
// does; ok is false for a name that a header can't hold.
func Split(name []byte) (prefix, rest []byte, ok bool) {
	if !ASCII(name) || bytes.IndexByte(name, 0) >= 0 {
		return nil, nil, false
	}
	if len(name) <= nameLen {
		return nil, name, true
	}
	i := min(len(name), prefixLen+1)
	if name[i-1] == '/' && i == len(name) {
		i--
	}
	for i--; i > 0 && name[i] != '/'; i-- {
	}
	rest = name[i+1:]
	if i <= 0 || len(rest) > nameLen || len(rest) == 0 {
		return nil, nil, false
	}
	return name[:i], rest, true
}

// ASCII reports whether all of name is ASCII.
func ASCII(name []byte) bool {
	for _, c := range name {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
