package page

import (
	"container/list"
	"sync"

	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

const (
	// maxKept bounds what a Shelf keeps, in bytes.
	maxKept = 32 << 20
	// maxKeptBook bounds one thing that it keeps: what is larger is made each time.
	maxKeptBook = maxKept / 2
	// minKept is what a thing counts at least: the Shelf holds what is around it too.
	minKept = 4 << 10
)

// Shelf keeps the contents of the archives that pages were made of last, and what takes long
// to find in them. The zero value is empty; all methods may be called at once.
type Shelf struct {
	mu    sync.Mutex
	books map[shelfmark]*list.Element // of *book
	order list.List                   // the last asked for first
	size  int64
}

// shelfmark is where a book stands.
type shelfmark struct {
	digest string // of the archive
	kind   kind
}

type kind int

const (
	ofContents kind = iota // a *pkgr.Chart
	ofImages               // a *Found
	ofKeys                 // a *Keys
)

type book struct {
	shelfmark
	what any
	size int64
}

// Get returns what is kept of an archive; nil: nothing is.
func (s *Shelf) Get(v *repo.Version) *pkgr.Chart {
	c, _ := s.get(shelfmark{v.Entry.Digest, ofContents}).(*pkgr.Chart)
	return c
}

// Read returns the contents of an archive, which it reads where nothing is kept of it.
// Errors are those of repo.View.ReadParts.
func (s *Shelf) Read(view *repo.View, v *repo.Version) (*pkgr.Chart, error) {
	if c := s.Get(v); c != nil {
		return c, nil
	}
	c, err := view.ReadParts(v.Archive, func(string) bool { return true })
	if err == nil {
		s.put(&book{shelfmark{v.Entry.Digest, ofContents}, c, sizeOf(c)})
	}
	return c, err
}

// Images returns what images an archive names, which holds c. To find them takes as long as
// the templates are large.
func (s *Shelf) Images(v *repo.Version, c *pkgr.Chart) *Found {
	return made(s, shelfmark{v.Entry.Digest, ofImages}, func() *Found { return findImages(c) })
}

// Keys returns the keys of the values of an archive, which holds c. To find 60,000 takes half a
// second.
func (s *Shelf) Keys(v *repo.Version, c *pkgr.Chart) *Keys {
	return made(s, shelfmark{v.Entry.Digest, ofKeys}, func() *Keys { return readKeys(c) })
}

// made returns what is kept at a place, or what make makes.
func made[T interface{ size() int64 }](s *Shelf, at shelfmark, make func() T) T {
	if what, ok := s.get(at).(T); ok {
		return what
	}
	what := make()
	s.put(&book{at, what, what.size()})
	return what
}

// sizeOf is how many bytes the contents of an archive take, about.
func sizeOf(c *pkgr.Chart) (n int64) {
	for f := range c.All() {
		n += int64(len(f.Data)+len(f.Name)) + 64
	}
	return n
}

func (s *Shelf) get(at shelfmark) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.books[at]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*book).what
}

func (s *Shelf) put(b *book) {
	b.size = max(b.size, minKept)
	if b.size > maxKeptBook {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.books[b.shelfmark] != nil {
		return
	}
	if s.books == nil {
		s.books = map[shelfmark]*list.Element{}
	}
	s.books[b.shelfmark] = s.order.PushFront(b)
	for s.size += b.size; s.size > maxKept; {
		last := s.order.Remove(s.order.Back()).(*book)
		delete(s.books, last.shelfmark)
		s.size -= last.size
	}
}
