package repo

import (
	"fmt"
	"sync"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/resolve"
)

// builder puts the charts of one pass together with their sub-charts. What others are
// built from is put together once and shared by them.
type builder struct {
	*maker
	mu   sync.Mutex
	memo map[any]func() (*pkgr.Chart, error) // by *resolve.Node, or by an archive's digest
}

func newBuilder(m *maker) *builder {
	return &builder{maker: m, memo: map[any]func() (*pkgr.Chart, error){}}
}

// shared returns what read returned the first time for key.
func (b *builder) shared(key any, read func() (*pkgr.Chart, error)) (*pkgr.Chart, error) {
	b.mu.Lock()
	once := b.memo[key]
	if once == nil {
		once = sync.OnceValues(read)
		b.memo[key] = once
	}
	b.mu.Unlock()
	return once()
}

// chart is the chart of a node as it is packed: with its dependencies, and with other
// versions where they are not empty. warnings are of the whole.
func (b *builder) chart(n *resolve.Node, version, appVersion string) (c *pkgr.Chart, warnings []string, err error) {
	if c, err = b.assemble(n); err != nil {
		return nil, nil, err
	}
	if c, err = c.Rewrite(b.opts.Rewrite); err != nil {
		return nil, nil, err
	}
	if c, err = c.Override(version, appVersion); err != nil {
		return nil, nil, err
	}
	warnings, err = c.CheckLimits(b.opts.Limits)
	return c, warnings, err
}

// assemble is the chart of n with everything that it was resolved to.
func (b *builder) assemble(n *resolve.Node) (*pkgr.Chart, error) {
	own, err := b.charts.byDir[n.Chart.Dir].content(b.judge.checker)
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
	c, err := b.judge.checker.Read(file)
	if err != nil {
		return nil, &chart.Error{Kind: chart.ErrArchive, File: a.Location, Err: err}
	}
	if c.Metadata.Name != a.Name || c.Metadata.Version != a.Version {
		return nil, fmt.Errorf("%s: %w", a.Location, errChanged)
	}
	return c, nil
}
