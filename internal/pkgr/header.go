package pkgr

import (
	"archive/tar"
	"bytes"
	"time"
)

// blockSize is the unit of tar.
const blockSize = 512

// Where the fields of a ustar header are (POSIX pax, "ustar Interchange Format"),
// and how long.
const (
	nameLen                   = 100
	modeAt                    = 100
	uidAt                     = 108
	gidAt                     = 116
	sizeAt, sizeLen           = 124, 12
	mtimeAt                   = 136
	checksumAt                = 148
	typeAt                    = 156
	magicAt                   = 257
	majorAt                   = 329
	minorAt                   = 337
	prefixAt, prefixLen       = 345, 155
	maxOctal            int64 = 1<<33 - 1 // eleven octal digits
)

// headers makes tar headers for files of one timestamp. They are those of
// archive/tar to the byte, at a tenth of the cost for names that ustar can hold.
type headers struct {
	mtime  time.Time
	simple bool // mtime fits into a ustar header
	block  [blockSize]byte
	buf    bytes.Buffer
}

func newHeaders(mtime time.Time) *headers {
	h := &headers{mtime: mtime, simple: mtime.Unix() >= 0 && mtime.Unix() <= maxOctal}
	b := &h.block
	octal(b[modeAt:modeAt+8], 0o644)
	octal(b[uidAt:uidAt+8], 0)
	octal(b[gidAt:gidAt+8], 0)
	if h.simple {
		octal(b[mtimeAt:mtimeAt+12], mtime.Unix())
	}
	b[typeAt] = tar.TypeReg
	copy(b[magicAt:], "ustar\x0000")
	octal(b[majorAt:majorAt+8], 0)
	octal(b[minorAt:minorAt+8], 0)
	return h
}

// header gives the header of a file; it is valid until the next call.
func (h *headers) header(name []byte, size int64) ([]byte, error) {
	prefix, rest, ok := splitName(name)
	if !ok || !h.simple || size > maxOctal {
		return h.extended(string(name), size)
	}
	b := h.block[:]
	clear(b[copy(b[:nameLen], rest):nameLen])
	clear(b[prefixAt+copy(b[prefixAt:prefixAt+prefixLen], prefix) : prefixAt+prefixLen])
	octal(b[sizeAt:sizeAt+sizeLen], size)
	copy(b[checksumAt:], "        ")
	var sum int64
	for _, c := range b {
		sum += int64(c)
	}
	octal(b[checksumAt:checksumAt+7], sum)
	return b, nil
}

// extended leaves the header to archive/tar, which chooses PAX where it has to.
func (h *headers) extended(name string, size int64) ([]byte, error) {
	h.buf.Reset()
	err := tar.NewWriter(&h.buf).WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, ModTime: h.mtime})
	return h.buf.Bytes(), err
}

// octal fills b with v, padded with zeros and ended by a NUL.
func octal(b []byte, v int64) {
	b[len(b)-1] = 0
	for i := len(b) - 2; i >= 0; i-- {
		b[i] = '0' + byte(v&7)
		v >>= 3
	}
}

// splitName splits a name that is too long for its field at a slash; ok is false
// where ustar can't hold it.
func splitName(name []byte) (prefix, rest []byte, ok bool) {
	for _, c := range name {
		if c >= 0x80 || c == 0 {
			return nil, nil, false
		}
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
