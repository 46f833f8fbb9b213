package repo

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
)

// builder puts charts together with their sub-charts. What others are built from
// is put together once and shared by them.
type builder struct {
	checker *pkgr.Checker
	chart   func(*resolve.Chart) *chartDir
	open    func(path string) (io.ReadCloser, error)

	mu   sync.Mutex
	memo map[any]*content // by *resolve.Node, or by an archive's digest
}

type content struct {
	once  sync.Once
	chart *pkgr.Chart
	err   error
}

// shared gives what read gave the first time for key.
func (b *builder) shared(key any, read func() (*pkgr.Chart, error)) (*pkgr.Chart, error) {
	b.mu.Lock()
	c := b.memo[key]
	if c == nil {
		c = &content{}
		b.memo[key] = c
	}
	b.mu.Unlock()
	c.once.Do(func() {
		c.err = errors.New("reading it failed") // stays when read panics
		c.chart, c.err = read()
	})
	return c.chart, c.err
}

// assemble is the chart of n with everything that it was resolved to.
func (b *builder) assemble(n *resolve.Node) (*pkgr.Chart, error) {
	own, err := b.chart(n.Chart).content(b.checker)
	if err != nil {
		return nil, err
	}
	subs := make([]*pkgr.Chart, 0, len(n.Subs))
	for _, s := range n.Subs {
		sub, err := b.sub(own, s)
		if err != nil {
			return nil, fmt.Errorf("dependency %s: %w", s.Name, err)
		}
		subs = append(subs, sub)
	}
	if n.Bare {
		own = own.WithoutLock()
	}
	return own.WithSubcharts(subs), nil
}

func (b *builder) sub(own *pkgr.Chart, s resolve.Sub) (*pkgr.Chart, error) {
	switch {
	case s.Node != nil:
		return b.shared(s.Node, func() (*pkgr.Chart, error) { return b.assemble(s.Node) })
	case s.Archive != nil:
		return b.shared(s.Archive.Digest, func() (*pkgr.Chart, error) { return b.read(s.Archive) })
	}
	return own.Subcharts[s.Vendored], nil
}

// read loads an archive that a chart depends on.
func (b *builder) read(a *resolve.Archive) (*pkgr.Chart, error) {
	file, err := b.open(a.Location)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := b.checker.Read(file)
	if err != nil {
		return nil, &chart.Error{Kind: chart.ErrArchive, File: a.Location, Err: err}
	}
	if c.Metadata.Name != a.Name || c.Metadata.Version != a.Version {
		return nil, fmt.Errorf("%s: %w", a.Location, errChanged)
	}
	return c, nil
}
