package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"chartserve/test/bench/report"
)

// addition is row 7: one archive comes to 10,000 and to 100,000, in turn.
func (b *bench) addition(ctx context.Context) error {
	small, large := min(many, b.largest), b.largest
	if err := b.describeArchives(small); err != nil {
		return err
	}
	merge, err := b.newMerging(ctx, small)
	if err != nil {
		return err
	}
	here, err := b.grow(ctx, small, false)
	if err != nil {
		return err
	}
	defer here.close()
	there, err := b.grow(ctx, large, false)
	if err != nil {
		return err
	}
	defer there.close()
	var museum *growing
	if b.tools.chartmuseum != "" {
		if museum, err = b.grow(ctx, small, true); err != nil {
			return err
		}
		defer museum.close()
	}
	var ours, atLarge, helm, theirs report.Series
	for range b.runs {
		h, err1 := merge.one(ctx, here.next)
		o, err2 := here.one(ctx)
		l, err3 := there.one(ctx)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		helm, ours, atLarge = append(helm, h), append(ours, o), append(atLarge, l)
		if museum != nil {
			m, err := museum.one(ctx)
			if err != nil {
				return err
			}
			theirs = append(theirs, m)
		}
	}
	first := report.Comparison{Row: 7, Work: "one archive added at " + thousands(small) + ", to the served index", Peer: "ChartMuseum", Unit: report.Seconds, Ours: ours, Theirs: theirs, Goal: report.Times, Target: 25}
	if museum == nil {
		first.Ours, first.Missing = nil, "not on PATH"
	}
	b.add(first,
		report.Comparison{Row: 7, Work: "the same", Peer: "Helm 3: `repo index --merge` of a folder with just that archive", Unit: report.Seconds, Ours: ours, Theirs: helm, Goal: report.Times, Target: 25},
		report.Comparison{Row: 7, Work: "one archive added at " + thousands(large), Peer: "chartserve at " + thousands(small), Unit: report.Seconds, Ours: atLarge, Theirs: ours, Goal: report.Bound, Target: 4})
	return nil
}

// merging is the least work that Helm has for one more archive: it reads its index
// of all the others, and that archive alone.
type merging struct {
	b     *bench
	index string
}

// newMerging makes the index of the first n archives as block YAML, Helm's form.
func (b *bench) newMerging(ctx context.Context, n int) (*merging, error) {
	dir, err := b.repository("merging", n)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := b.run(ctx, b.tools.chartserve, "index", dir, "--index-format", "yaml"); err != nil {
		return nil, err
	}
	m := &merging{b: b, index: filepath.Join(b.temp, "merge-with.yaml")}
	return m, os.Rename(filepath.Join(dir, "index.yaml"), m.index)
}

// one merges the i-th archive, and tells the seconds.
func (m *merging) one(ctx context.Context, i int) (float64, error) {
	dir, err := m.b.folderFor("one")
	if err != nil {
		return 0, err
	}
	if err := m.b.archives.link(i, dir); err != nil {
		return 0, err
	}
	return m.b.run(ctx, m.b.tools.helm3, "repo", "index", dir, "--merge", m.index)
}
