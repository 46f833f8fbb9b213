package pkgr

import (
	"archive/tar"
	"bytes"
	"io"
	"time"
)

// memberReader reads the members of a tar stream. It reads the headers that Helm
// and this package write itself, in a fraction of archive/tar's time. At the first
// header that is anything else it gives the rest of the stream to archive/tar,
// which has the last word on everything odd.
type memberReader struct {
	r      io.Reader
	block  [blockSize]byte
	header tar.Header
	left   int64 // of the current member
	pad    int64 // behind it
	tar    *tar.Reader
	junk   [16 << 10]byte // what is skipped
}

func (m *memberReader) reset(r io.Reader) {
	m.r, m.left, m.pad, m.tar = r, 0, 0, nil
}

// Next goes on to the next member. The header is valid until the call after.
func (m *memberReader) Next() (*tar.Header, error) {
	if m.tar != nil {
		return m.tar.Next()
	}
	if err := m.skip(m.left); err != nil {
		return nil, err
	}
	// Like archive/tar: where the stream ends in the padding, it ends.
	if err := m.skip(m.pad); err == io.ErrUnexpectedEOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, err
	}
	m.left, m.pad = 0, 0
	if _, err := io.ReadFull(m.r, m.block[:]); err != nil {
		return nil, err
	}
	if !m.plain() {
		m.tar = tar.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(m.block[:])), m.r))
		return m.tar.Next()
	}
	m.left = m.header.Size
	m.pad = -m.left & (blockSize - 1)
	return &m.header, nil
}

// Read reads the current member.
func (m *memberReader) Read(p []byte) (int, error) {
	if m.tar != nil {
		return m.tar.Read(p)
	}
	if m.left == 0 {
		return 0, io.EOF
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if err == io.EOF && m.left > 0 {
		err = io.ErrUnexpectedEOF
	} else if err == io.EOF {
		err = nil
	}
	return n, err
}

func (m *memberReader) skip(n int64) error {
	for n > 0 {
		k, err := m.r.Read(m.junk[:min(n, int64(len(m.junk)))])
		if n -= int64(k); err == io.EOF && n > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// plain sets m.header from m.block and tells whether that is all there is to it:
// a ustar header of a regular file, each number in full octal, the names printable
// ASCII.
func (m *memberReader) plain() bool {
	b := &m.block
	if string(b[magicAt:magicAt+8]) != "ustar\x0000" || b[typeAt] != tar.TypeReg || string(b[blockSize-4:]) == "tar\x00" {
		return false
	}
	for _, at := range [...]int{uidAt, gidAt, majorAt, minorAt} {
		if _, ok := parseOctal(b[at : at+8]); !ok {
			return false
		}
	}
	mode, ok1 := parseOctal(b[modeAt : modeAt+8])
	size, ok2 := parseOctal(b[sizeAt : sizeAt+sizeLen])
	mtime, ok3 := parseOctal(b[mtimeAt : mtimeAt+12])
	if !ok1 || !ok2 || !ok3 || !checksum(b) {
		return false
	}
	name, prefix := field(b[:nameLen]), field(b[prefixAt:prefixAt+prefixLen])
	if len(name) == 0 || !printable(name) || !printable(prefix) {
		return false
	}
	m.header = tar.Header{Typeflag: tar.TypeReg, Mode: mode, Size: size, ModTime: time.Unix(mtime, 0)}
	if len(prefix) == 0 {
		m.header.Name = string(name)
	} else {
		m.header.Name = string(prefix) + "/" + string(name)
	}
	return true
}

// checksum tells whether the sum of the bytes, the checksum's own taken as
// spaces, is what the header says.
func checksum(b *[blockSize]byte) bool {
	want, ok := parseOctal(b[checksumAt : checksumAt+7])
	if !ok || b[checksumAt+7] != ' ' {
		return false
	}
	sum := int64(8 * ' ')
	for _, c := range b[:checksumAt] {
		sum += int64(c)
	}
	for _, c := range b[checksumAt+8:] {
		sum += int64(c)
	}
	return sum == want
}

// parseOctal reads a field that octal has written.
func parseOctal(b []byte) (n int64, ok bool) {
	last := len(b) - 1
	for _, c := range b[:last] {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, b[last] == 0
}

// field is the text up to the first NUL.
func field(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
