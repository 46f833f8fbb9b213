package httpapi

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"

	"chartserve/internal/repo"
)

const (
	// smallFile is the largest file that is answered from memory: to open, look at
	// and close a file takes longer than to send that much.
	smallFile = 64 << 10
	// smallTotal bounds what is held of them.
	smallTotal = 16 << 20
)

// smallFiles holds the contents of small files by ETag, which is their digest.
// There are two generations: when the young one has half of the room, it becomes
// the old one, and what was not asked for since the last time is dropped.
type smallFiles struct {
	mu         sync.RWMutex
	young, old map[string][]byte
	size       int // bytes in young
}

// open opens f: from memory where it is small, else the file itself, which
// net/http then sends without copying it through this process.
func (c *smallFiles) open(s *repo.Snapshot, f *repo.File) (io.ReadSeekCloser, error) {
	if f.Size > smallFile {
		return s.Open(f)
	}
	data, err := c.data(s, f)
	if err != nil {
		return nil, err
	}
	return memory{bytes.NewReader(data)}, nil
}

// data is the content of f, a small file.
func (c *smallFiles) data(s *repo.Snapshot, f *repo.File) ([]byte, error) {
	if data, ok := c.get(f.ETag); ok {
		return data, nil
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

func (c *smallFiles) get(etag string) ([]byte, bool) {
	c.mu.RLock()
	data, young := c.young[etag]
	if !young {
		data = c.old[etag]
	}
	c.mu.RUnlock()
	if data != nil && !young {
		c.put(etag, data)
	}
	return data, data != nil
}

func (c *smallFiles) put(etag string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.young[etag]; ok {
		return
	}
	if c.young == nil || c.size+len(data) > smallTotal/2 {
		c.young, c.old, c.size = map[string][]byte{}, c.young, 0
	}
	c.young[etag] = data
	c.size += len(data)
}

// memory is a file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }
