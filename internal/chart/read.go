package chart

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
)

// ReadAtMost reads r to its end. The error is of kind ErrLimit if there are more than
// limit bytes, else that of r; no bytes come with it. The size that the system says a
// file has is not believed: files of /proc have none.
func ReadAtMost(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	if file, ok := r.(fs.File); ok {
		if fi, err := file.Stat(); err == nil && fi.Size() <= limit {
			b.Grow(int(fi.Size()) + bytes.MinRead) // for one read that finds the end
		}
	}
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = Refuse(ErrLimit, "", fmt.Sprintf("larger than the %d bytes that are read", limit), "")
	}
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
