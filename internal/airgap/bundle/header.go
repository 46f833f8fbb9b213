package bundle

import (
	"archive/tar"
	"fmt"
	"strconv"

	"chartserve/internal/ustar"
)

// A bundle's tar is POSIX.1-2001: ustar, with a pax header for a name that does not
// fit. Its bytes are the format, so archive/tar does not choose them.
const (
	trailerSize = 2 * ustar.Block
	// shortName is the longest name that needs no pax header.
	shortName = 100
	// mtime is 1980-01-01T00:00:00Z, which no tar calls implausible.
	mtime = 315532800
)

// header is what precedes a member's bytes.
func header(name string, size int64) []byte {
	if len(name) <= shortName && ustar.ASCII([]byte(name)) {
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
	b = append(b, make([]byte, ustar.Padding(int64(length)))...)
	return block(b, "long-name", size, tar.TypeReg)
}

// block appends one header block to dst.
func block(dst []byte, name string, size int64, kind byte) []byte {
	return ustar.Append(dst, ustar.Header{Name: []byte(name), Size: size, Time: mtime, Kind: kind})
}

// sizeIn returns the size that a header block claims, -1 when that is no number.
func sizeIn(b []byte) int64 {
	n, err := strconv.ParseInt(string(b[124:135]), 8, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
