package pkgr

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"
)

// sum sets the checksum of a header, as archive/tar writes it.
func sum(block []byte) []byte {
	copy(block[checksumAt:], "        ")
	var n int64
	for _, c := range block {
		n += int64(c)
	}
	octal(block[checksumAt:checksumAt+7], n)
	return block
}

// At whatever is odd, memberReader must do as archive/tar does, which is how Helm
// reads.
func TestOddHeaders(t *testing.T) {
	header := func(change func(b []byte)) []byte {
		b, err := newHeaders(time.Unix(1e9, 0)).header([]byte("c/x"), 5)
		must(t, err)
		b = bytes.Clone(b)
		change(b)
		return b
	}
	summed := func(change func(b []byte)) []byte { return sum(header(change)) }
	tests := map[string][]byte{
		"none":                header(func([]byte) {}),
		"bad checksum":        header(func(b []byte) { b[0] = 'd' }),
		"unended checksum":    header(func(b []byte) { b[checksumAt+7] = 'x' }),
		"directory's mode":    summed(func(b []byte) { octal(b[modeAt:modeAt+8], 0o40755) }),
		"file's mode":         summed(func(b []byte) { octal(b[modeAt:modeAt+8], 0o100644) }),
		"slash at the end":    summed(func(b []byte) { copy(b, "c/x/") }),
		"star":                summed(func(b []byte) { copy(b[prefixAt:], "some/prefix"); copy(b[blockSize-4:], "tar\x00") }),
		"star, long prefix":   summed(func(b []byte) { copy(b[prefixAt:], strings.Repeat("p", 140)); copy(b[blockSize-4:], "tar\x00") }),
		"prefix":              summed(func(b []byte) { copy(b[prefixAt:], "some/prefix") }),
		"full fields":         summed(func(b []byte) { copy(b, strings.Repeat("n", 100)); copy(b[prefixAt:], strings.Repeat("p", 155)) }),
		"text behind a NUL":   summed(func(b []byte) { copy(b, "c/x\x00junk") }),
		"not ASCII":           summed(func(b []byte) { copy(b, "c/\xc3\xa9") }),
		"control character":   summed(func(b []byte) { copy(b, "c/\x01") }),
		"no name":             summed(func(b []byte) { copy(b, "\x00\x00\x00") }),
		"GNU":                 summed(func(b []byte) { copy(b[magicAt:], "ustar  \x00") }),
		"V7":                  summed(func(b []byte) { clear(b[magicAt : magicAt+8]) }),
		"unknown magic":       summed(func(b []byte) { copy(b[magicAt:], "ustar\x0099") }),
		"old regular type":    summed(func(b []byte) { b[typeAt] = 0 }),
		"contiguous":          summed(func(b []byte) { b[typeAt] = tar.TypeCont }),
		"unknown type":        summed(func(b []byte) { b[typeAt] = 'Z' }),
		"directory":           summed(func(b []byte) { b[typeAt] = tar.TypeDir; octal(b[sizeAt:sizeAt+12], 0) }),
		"link":                summed(func(b []byte) { b[typeAt] = tar.TypeLink; octal(b[sizeAt:sizeAt+12], 0); copy(b[157:], "c/y") }),
		"link with a size":    summed(func(b []byte) { b[typeAt] = tar.TypeSymlink; copy(b[157:], "c/y") }),
		"owner not octal":     summed(func(b []byte) { copy(b[uidAt:], "12x") }),
		"owner in spaces":     summed(func(b []byte) { copy(b[uidAt:], "    12 ") }),
		"size in base 256":    summed(func(b []byte) { clear(b[sizeAt : sizeAt+12]); b[sizeAt] = 0x80; b[sizeAt+11] = 5 }),
		"negative size":       summed(func(b []byte) { copy(b[sizeAt:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") }),
		"size not octal":      summed(func(b []byte) { b[sizeAt+10] = '9' }),
		"size ended by space": summed(func(b []byte) { b[sizeAt+11] = ' ' }),
		"short size":          summed(func(b []byte) { copy(b[sizeAt:], "5\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00") }),
		"no time":             summed(func(b []byte) { clear(b[mtimeAt : mtimeAt+12]) }),
		"no owner":            summed(func(b []byte) { clear(b[uidAt : uidAt+8]) }),
	}
	data := append([]byte("12345"), make([]byte, 507)...)
	next := header(func([]byte) {})
	for name, odd := range tests {
		t.Run(name, func(t *testing.T) {
			// First, after a plain member, and with a plain member after it; and each
			// cut short.
			for _, parts := range [][][]byte{
				{odd, data, make([]byte, 1024)},
				{next, data, odd, data, next, data, make([]byte, 1024)},
				{odd, data, next, data},
				{odd, data, make([]byte, 512), next, data},
			} {
				stream := bytes.Join(parts, nil)
				for n := len(stream); n >= 0; n -= 100 {
					sameMembers(t, stream[:n])
				}
			}
		})
	}
}
