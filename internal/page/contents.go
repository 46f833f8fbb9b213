package page

import (
	"container/list"
	"sync"

	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

const (
	// maxKept bounds the contents of archives that a Shelf keeps, in bytes.
	maxKept = 32 << 20
	// maxKeptChart bounds those of one of them: what is larger is read each time.
	maxKeptChart = maxKept / 4
)

// Shelf keeps the contents of the archives that pages were made of last. The zero value is
// empty; all methods may be called at once.
type Shelf struct {
	mu    sync.Mutex
	books map[string]*list.Element // of *book, by digest
	order list.List                // the last asked for first
	size  int64
}

type book struct {
	digest string
	chart  *pkgr.Chart
	size   int64
}

// Get returns what is kept of an archive; nil: nothing is.
func (s *Shelf) Get(v *repo.Version) *pkgr.Chart {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.books[v.Entry.Digest]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*book).chart
}

// Read returns the contents of an archive, which it reads where nothing is kept of it.
// Errors are those of repo.View.ReadParts.
func (s *Shelf) Read(view *repo.View, v *repo.Version) (*pkgr.Chart, error) {
	if c := s.Get(v); c != nil {
		return c, nil
	}
	c, err := view.ReadParts(v.Archive, func(string) bool { return true })
	if err == nil {
		s.put(&book{v.Entry.Digest, c, c.Size()})
	}
	return c, err
}

func (s *Shelf) put(b *book) {
	if b.size > maxKeptChart {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books[b.digest] != nil {
		return
	}
	if s.books == nil {
		s.books = map[string]*list.Element{}
	}
	s.books[b.digest] = s.order.PushFront(b)
	for s.size += b.size; s.size > maxKept; {
		last := s.order.Remove(s.order.Back()).(*book)
		delete(s.books, last.digest)
		s.size -= last.size
	}
}
