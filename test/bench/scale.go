package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"chartserve/test/bench/plot"
	"chartserve/test/bench/report"
)

// sizes are the numbers of archives in the picture.
func (b *bench) sizes() []int {
	var all []int
	for n := 100; n <= b.largest; n *= 10 {
		all = append(all, n)
	}
	return all
}

// scale is the cost against the number of archives.
func (b *bench) scale(ctx context.Context) error {
	for _, n := range b.sizes() {
		size := report.Size{Archives: n}
		// A cold start with 100,000 archives takes long enough to be steady.
		cold := b.runs
		if n > many {
			cold = min(cold, 2)
		}
		for i := range cold {
			if err := b.oneSize(ctx, n, i == cold-1, &size); err != nil {
				return fmt.Errorf("%d archives: %w", n, err)
			}
		}
		b.found.Sizes = append(b.found.Sizes, size)
	}
	return nil
}

// oneSize starts a server on n archives from nothing, and on the last time goes on
// with what is measured in a running one.
func (b *bench) oneSize(ctx context.Context, n int, last bool, size *report.Size) error {
	g, err := b.grow(ctx, n, false)
	if err != nil {
		return err
	}
	defer g.close()
	size.Cold = append(size.Cold, g.took)
	if !last {
		return nil
	}
	for range b.runs {
		took, err := g.one(ctx)
		if err != nil {
			return err
		}
		size.Change = append(size.Change, took)
	}
	// What a server does when it has had nothing to do for a while counts too.
	time.Sleep(4 * time.Second)
	var r folderRun
	if err := b.load(ctx, g.server, n, &r); err != nil {
		return err
	}
	size.Loaded, size.Peak = r.resident, r.peak
	if err := g.weighIndex(ctx, size); err != nil {
		return err
	}
	for range b.runs {
		took, err := g.restart(ctx)
		if err != nil {
			return err
		}
		size.Restart = append(size.Restart, took)
	}
	return nil
}

// weighIndex asks for both forms of the index, checks that they are the same text,
// and notes their sizes.
func (g *growing) weighIndex(ctx context.Context, size *report.Size) error {
	url := g.server.url + "/index.yaml"
	plain, err := g.client.get(ctx, url)
	if err != nil {
		return err
	}
	zipped, err := g.client.do(ctx, "GET", url, map[string]string{"Accept-Encoding": "gzip"})
	if err != nil {
		return err
	}
	size.Index, size.Gzip = float64(len(plain.body))/1e6, float64(len(zipped.body))/1e6
	n, err := unzipped(zipped.body)
	if err == nil && n != len(plain.body) {
		err = fmt.Errorf("index: %d bytes, unzipped %d", len(plain.body), n)
	}
	return err
}

// draw makes the picture.
func draw(w io.Writer, sizes []report.Size) error {
	seconds := func(y float64) string { return report.Amount(y, report.Seconds) }
	megabytes := func(y float64) string { return report.Amount(y, report.Megabytes) }
	line := func(name string, of func(report.Size) report.Series) plot.Line {
		l := plot.Line{Name: name}
		for _, s := range sizes {
			x := of(s).Spread()
			l.Points = append(l.Points, plot.Point{X: float64(s.Archives), Y: x.Median, Low: x.Low, High: x.High})
		}
		return l
	}
	panels := []plot.Panel{
		{Title: "Cold start", Format: seconds, Lines: []plot.Line{line("", func(s report.Size) report.Series { return s.Cold })}},
		{Title: "Restart", Format: seconds, Lines: []plot.Line{line("", func(s report.Size) report.Series { return s.Restart })}},
		{Title: "One archive added", Format: seconds, Lines: []plot.Line{line("", func(s report.Size) report.Series { return s.Change })}},
		{Title: "Memory", Format: megabytes, Lines: []plot.Line{
			line("peak", func(s report.Size) report.Series { return s.Peak }),
			line("resident", func(s report.Size) report.Series { return s.Loaded })}},
		{Title: "Index", Format: megabytes, Lines: []plot.Line{
			line("identity", func(s report.Size) report.Series { return report.Series{s.Index} }),
			line("gzip", func(s report.Size) report.Series { return report.Series{s.Gzip} })}},
	}
	return plot.Draw(w, panels, "archives", func(x float64) string { return thousands(int(x + 0.5)) })
}

// thousands is 10,000 for 10000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
