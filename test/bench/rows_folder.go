package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"chartserve/test/bench/report"
)

const (
	helm2       = "Helm 2.17's server"
	chartmuseum = "ChartMuseum"
)

// many is the size of the repositories in rows 5 to 12.
const many = 10_000

// life is what one server was measured to do with a number of archives: its cold
// start, its restart, its restart when it was stopped the moment it was ready, its
// memory, the time of its HTML list, and that of a chart's page that nobody has asked for.
type life struct{ start, restart, hasty, resident, peak, list, page report.Series }

// folder is rows 5, 5b, 6, 8 and 12, for which a slow peer starts once a round.
func (b *bench) folder(ctx context.Context) error {
	n := min(many, b.largest)
	if err := b.describeArchives(n); err != nil {
		return err
	}
	var ours, source, theirs, museum life
	var index report.Series
	serveMuseum := func(ctx context.Context, dir string) (*server, float64, error) { return b.serveMuseum(ctx, dir) }
	for range b.runs {
		if err := b.peerLife(ctx, b.serveHelm2, n, &theirs); err != nil {
			return err
		}
		if err := b.ourLife(ctx, n, false, &ours); err != nil {
			return err
		}
		if err := b.ourLife(ctx, n, true, &source); err != nil {
			return err
		}
		if affordable(index) {
			seconds, err := b.helmIndex(ctx, n)
			if err != nil {
				return err
			}
			index = append(index, seconds)
		}
		if b.tools.chartmuseum != "" && affordable(museum.start) {
			if err := b.peerLife(ctx, serveMuseum, n, &museum); err != nil {
				return err
			}
		}
	}
	b.addStarts(report.Count(n), ours, source, theirs, museum, index)
	b.addMemory(report.Count(n), ours, theirs, museum)
	return nil
}

// affordable reports whether another run of a peer is worth its time: one that
// takes longer than ten seconds has three.
func affordable(runs report.Series) bool { return len(runs) < 3 || runs.Spread().Median < 10 }

// helmIndex has Helm 3 index a folder of n archives and returns the seconds.
func (b *bench) helmIndex(ctx context.Context, n int) (float64, error) {
	dir, err := b.repository("index", n)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	return b.run(ctx, b.tools.helm3, "repo", "index", dir)
}

// addStarts adds rows 5, 5b and 6. The peers keep no state: their restart is
// another start.
func (b *bench) addStarts(n string, ours, source, theirs, museum life, index report.Series) {
	folder := n + " archives in the repository folder, cold, to the first complete index"
	inSource := "the same archives in a SOURCE, cold"
	line := func(row, work, peer string, o, t report.Series) report.Comparison {
		return against(report.Comparison{Row: row, Work: work, Peer: peer, Unit: report.Seconds}, o, t)
	}
	b.add(
		line("5", folder, helm2, ours.start, theirs.start).AtLeast(4),
		line("5", "the same", "`helm repo index`", ours.start, index),
		line("5", "the same", chartmuseum, ours.start, museum.start),
		line("5b", inSource, helm2, source.start, theirs.start).AtLeast(1),
		line("5b", "the same", "chartserve, in the repository folder", source.start, ours.start).AtMost(1.5),
		line("6", "row 5, restarted", helm2, ours.restart, theirs.start).AtLeast(80),
		line("6", "row 5, stopped the moment it was ready, restarted", helm2, ours.hasty, theirs.start).AtLeast(80),
		line("6", "row 5b, restarted", helm2, source.restart, theirs.start).AtLeast(80),
		line("6", "row 5b, stopped the moment it was ready, restarted", helm2, source.hasty, theirs.start).AtLeast(80),
	)
}

// addMemory adds rows 8 and 12.
func (b *bench) addMemory(n string, ours, theirs, museum life) {
	memory := func(work, peer string, o, t report.Series) report.Comparison {
		return against(report.Comparison{Row: "8", Work: work, Peer: peer, Unit: report.Megabytes}, o, t)
	}
	list := report.Comparison{Row: "12", Work: "GET the HTML list, " + n + " versions", Peer: helm2, Unit: report.Seconds}
	b.add(
		memory("memory with "+n+" archives, after requests for the index and archives: resident", helm2, ours.resident, theirs.resident).AtLeast(1),
		memory("the same: peak since the cold start", helm2, ours.peak, theirs.peak).AtLeast(1),
		memory("the same: resident", chartmuseum, ours.resident, museum.resident).AtLeast(4),
		against(list, ours.list, theirs.list).AtLeast(100),
		report.Comparison{Row: "12", Work: "GET the page of a chart version, the first time", Unit: report.Seconds, Ours: ours.page}.Within(0.005),
	)
}

// against fills in the samples, or why there are none of the peer's.
func against(c report.Comparison, ours, theirs report.Series) report.Comparison {
	if len(theirs) == 0 {
		c.Missing = "not on PATH"
		return c
	}
	c.Ours, c.Theirs = ours, theirs
	if len(theirs) < len(ours) {
		c.Peer += fmt.Sprintf(" (%d rounds)", len(theirs))
	}
	return c
}

// ourLife starts chartserve on n archives, in its repository folder or in a SOURCE:
// once to live, and once to be stopped the moment it is ready.
func (b *bench) ourLife(ctx context.Context, n int, source bool, l *life) error {
	for _, hasty := range []bool{false, true} {
		dir, err := b.repository("ours", n)
		if err != nil {
			return err
		}
		args := []string{"--repo-path", dir}
		if source {
			args = []string{dir, "--repo-path", dir + ".repo"}
		}
		if err = b.startTwice(ctx, n, hasty, args, l); err != nil {
			return err
		}
		// Files of a repository stay to the end: creating files soon after thousands were
		// deleted is slow on ext4 without a journal, which goes over all of them each time.
		os.RemoveAll(dir) // links
	}
	return nil
}

// startTwice starts a server cold, lets it live unless the end is to be hasty, and
// starts it again.
func (b *bench) startTwice(ctx context.Context, n int, hasty bool, args []string, l *life) error {
	s, seconds, err := b.serve(ctx, args...)
	if err != nil {
		return err
	}
	if !hasty {
		l.start = append(l.start, seconds)
		err = b.live(ctx, s, n, l)
	}
	s.stop()
	if err != nil {
		return err
	}
	if s, seconds, err = b.serve(ctx, args...); err != nil {
		return err
	}
	s.stop()
	if hasty {
		l.hasty = append(l.hasty, seconds)
	} else {
		l.restart = append(l.restart, seconds)
	}
	return nil
}

// peerLife starts a peer on a folder of n archives.
func (b *bench) peerLife(ctx context.Context, serve func(context.Context, string) (*server, float64, error), n int, l *life) error {
	dir, err := b.repository("peer", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, seconds, err := serve(ctx, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	l.start = append(l.start, seconds)
	return b.live(ctx, s, n, l)
}

// live loads a server with requests for its index and for archives, notes its
// memory, then asks for its HTML list.
func (b *bench) live(ctx context.Context, s *server, n int, l *life) error {
	if err := hammer(ctx, func(int) string { return s.url + "/index.yaml" }, 100); err != nil {
		return err
	}
	if err := hammer(ctx, func(i int) string { return s.archives + "/" + pathOf(b.archives.file(i*7%n)) }, 2000); err != nil {
		return err
	}
	resident, peak, err := s.memory()
	if err != nil {
		return err
	}
	l.resident, l.peak = append(l.resident, resident), append(l.peak, peak)
	if s.name == "chartmuseum" {
		return nil // it has no such list
	}
	list, err := s.pages(ctx, 3, func(int) string { return "/" })
	l.list = append(l.list, list.Spread().Median)
	if err != nil || s.name != "chartserve" { // the others have no page of a chart
		return err
	}
	page, err := s.pages(ctx, 20, func(i int) string {
		name, version := b.archives.gen.Identity(i * 37 % n)
		return "/chart/" + name + "/" + version + "/"
	})
	l.page = append(l.page, page.Spread().Median)
	return err
}

// pages asks for n pages, one after the other, and returns the seconds of each.
func (s *server) pages(ctx context.Context, n int, path func(i int) string) (took report.Series, err error) {
	c := newClient(1)
	defer c.close()
	for i := range n {
		began := time.Now()
		a, err := c.get(ctx, s.url+path(i))
		if err != nil || a.status != http.StatusOK {
			return nil, fmt.Errorf("%s: GET %s: status %d: %w", s.name, path(i), a.status, err)
		}
		took = append(took, time.Since(began).Seconds())
	}
	return took, nil
}

// describeArchives adds the page's line about the repositories.
func (b *bench) describeArchives(n int) error {
	if err := b.archives.ensure(n); err != nil {
		return err
	}
	if slices.ContainsFunc(b.found.Corpora, func(c string) bool { return strings.HasPrefix(c, "repositories") }) {
		return nil
	}
	mean, err := b.archives.average(n)
	if err != nil {
		return err
	}
	b.found.Corpora = append(b.found.Corpora, fmt.Sprintf("repositories of archives of 5 to 40 KB, %.1f KB in the mean, with values.yaml of 2 to 60 KB, 20 versions a chart that share most files; hard links to the same files for every program", mean/1e3))
	return nil
}
