package bundle

import (
	"archive/tar"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A bundle's tar is POSIX.1-2001: ustar, with a pax header for a name that does not
// fit. Its bytes are the format, so archive/tar does not choose them.
const (
	blockSize   = 512
	trailerSize = 2 * blockSize
	// shortName is the longest name that needs no pax header.
	shortName = 100
	// mtime is 1980-01-01T00:00:00Z, which no tar calls implausible.
	mtime = 315532800
)

// header is what precedes a member's bytes.
func header(name string, size int64) []byte {
	if len(name) <= shortName && ascii(name) {
		return block(nil, name, size, tar.TypeReg)
	}
	record := " path=" + name + "\n"
	length := len(record)
	// The length counts its own digits.
	for length != len(record)+len(strconv.Itoa(length)) {
		length = len(record) + len(strconv.Itoa(length))
	}
	b := block(nil, "pax", int64(length), tar.TypeXHeader)
	b = fmt.Appendf(b, "%d%s", length, record)
	b = append(b, make([]byte, padding(int64(length)))...)
	return block(b, "long-name", size, tar.TypeReg)
}

// block appends one header block to dst: mode 0644, owner 0. archive/tar writes the
// same for plain files, but lets nobody write a pax header of his own.
func block(dst []byte, name string, size int64, kind byte) []byte {
	var b [blockSize]byte
	copy(b[:shortName], name)
	const mode, owner = "0000644\x00", "0000000\x00"
	copy(b[100:], mode+owner+owner)
	copy(b[124:], fmt.Sprintf("%011o\x00%011o\x00", size, mtime))
	copy(b[148:], "        ") // the checksum, while the sum is taken
	b[156] = kind
	copy(b[257:], "ustar\x0000")
	const device = "0000000\x00"
	copy(b[329:], device+device)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00", sum))
	return append(dst, b[:]...)
}

// padding is how many zeros follow the size bytes of a member.
func padding(size int64) int64 { return -size & (blockSize - 1) }

func ascii(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
}

// sizeIn returns the size that a header block claims, -1 when that is no number.
func sizeIn(b []byte) int64 {
	n, err := strconv.ParseInt(string(b[124:135]), 8, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
