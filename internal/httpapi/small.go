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

// smallFiles holds the contents of small files by ETag, which is their digest.
// There are two generations: when the young one has half of the room, it becomes
// the old one, and what was not asked for since the last time is dropped. Reading
// takes no lock. The zero value is empty.
type smallFiles struct {
	young, old atomic.Pointer[generation]
	mu         sync.Mutex // held by who puts
}

type generation struct {
	files sync.Map // ETag to []byte
	size  int      // bytes in files
}

// data is the content of f, a small file.
func (c *smallFiles) data(s *repo.View, f *repo.File) ([]byte, error) {
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
	if data, ok := c.young.Load().get(etag); ok {
		return data, true
	}
	data, ok := c.old.Load().get(etag)
	if ok {
		c.put(etag, data)
	}
	return data, ok
}

func (g *generation) get(etag string) ([]byte, bool) {
	if g == nil {
		return nil, false
	}
	data, ok := g.files.Load(etag)
	if !ok {
		return nil, false
	}
	return data.([]byte), true
}

func (c *smallFiles) put(etag string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.young.Load()
	if _, ok := g.get(etag); ok {
		return
	}
	if g == nil || g.size+len(data) > smallTotal/2 {
		c.old.Store(g)
		g = &generation{}
		c.young.Store(g)
	}
	g.files.Store(etag, data)
	g.size += len(data)
}
