package bundle

import (
	"fmt"
	"strconv"
)

// A bundle's tar is POSIX.1-2001 (ustar, with a pax header for a name that does
// not fit) and written here rather than by archive/tar: its bytes are the format,
// and must not depend on the choices of a library's version.
const (
	block       = 512
	trailerSize = 2 * block
	// mtime is 1980-01-01T00:00:00Z, which no tar calls implausible.
	mtime = 315532800
)

// padding is how many zeros follow size bytes.
func padding(size int64) int64 { return -size & (block - 1) }

// header is what stands before a member's bytes.
func header(name string, size int64) []byte {
	if len(name) <= 100 && isASCII(name) {
		return ustar(name, size, '0')
	}
	record := " path=" + name + "\n"
	length := len(record)
	// The length counts its own digits.
	for length != len(record)+len(strconv.Itoa(length)) {
		length = len(record) + len(strconv.Itoa(length))
	}
	b := ustar("pax", int64(length), 'x')
	b = fmt.Appendf(b, "%d%s", length, record)
	b = append(b, make([]byte, padding(int64(length)))...)
	return append(b, ustar("long-name", size, '0')...)
}

// ustar is one header block: mode 0644, owner 0, the fixed time.
func ustar(name string, size int64, kind byte) []byte {
	b := make([]byte, block)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:], fmt.Sprintf("%011o\x00%011o\x00", size, mtime))
	copy(b[148:], "        ")
	b[156] = kind
	copy(b[257:], "ustar\x0000")
	copy(b[329:], "0000000\x000000000\x00")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// sizeIn is the size that a header block claims, -1 when that is no number.
func sizeIn(b []byte) int64 {
	n, err := strconv.ParseInt(string(b[124:135]), 8, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
