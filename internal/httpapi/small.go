package httpapi

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"chartserve/internal/repo"
)

const (
	// smallFile is the largest file that is answered from memory: to open, look at
	// and close a file takes longer than to send that much.
	smallFile = 64 << 10
	// smallTotal bounds what is held of them.
	smallTotal = 16 << 20
)

// smallFiles holds the contents of small files by ETag, which is their digest. When it
// is full all are dropped: those that are asked for come back. The zero value is empty.
type smallFiles struct {
	files sync.Map // ETag to []byte
	size  atomic.Int64
}

// data is the content of f, a small file.
func (c *smallFiles) data(s *repo.View, f *repo.File) ([]byte, error) {
	if data, ok := c.files.Load(f.ETag); ok {
		return data.([]byte), nil
	}
	file, err := s.Open(f)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, f.Size)
	_, err = io.ReadFull(file, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &os.PathError{Op: "read", Path: f.Path, Err: os.ErrNotExist} // it is being replaced
	}
	if err != nil {
		return nil, err
	}
	c.put(f.ETag, data)
	return data, nil
}

func (c *smallFiles) put(etag string, data []byte) {
	if _, there := c.files.LoadOrStore(etag, data); there {
		return
	}
	if n := int64(len(data)); c.size.Add(n) > smallTotal {
		c.files.Clear()
		c.size.Store(0)
	}
}
