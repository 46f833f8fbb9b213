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

// smallFiles holds the contents of small files by repository and ETag: that of a
// provenance by digest is made of the archive's. When it is full all are dropped: those that are asked for come back. The zero value is empty.
type smallFiles struct {
	files sync.Map // smallKey to []byte
	size  atomic.Int64
}

// smallKey finds a file in smallFiles.
type smallKey struct {
	at   *served
	etag string
}

// data is the content of f, a small file of at.
func (c *smallFiles) data(at *served, s *repo.View, f *repo.File) ([]byte, error) {
	return c.made(at, f.ETag, func() ([]byte, error) { return readSmall(s, f) })
}

// made is what make returns, or did.
func (c *smallFiles) made(at *served, etag string, make func() ([]byte, error)) ([]byte, error) {
	if data, ok := c.files.Load(smallKey{at, etag}); ok {
		return data.([]byte), nil
	}
	data, err := make()
	if err == nil && len(data) <= smallFile {
		c.put(smallKey{at, etag}, data)
	}
	return data, err
}

func readSmall(s *repo.View, f *repo.File) ([]byte, error) {
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
	return data, err
}

func (c *smallFiles) put(key smallKey, data []byte) {
	if _, there := c.files.LoadOrStore(key, data); there {
		return
	}
	if n := int64(len(data)); c.size.Add(n) > smallTotal {
		c.files.Clear()
		c.size.Store(0)
	}
}
