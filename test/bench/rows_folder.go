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

const helm2 = "Helm 2.17's server"

// many is the size of the repositories in rows 5 to 12.
const many = 10_000

// folderRun is one server's life on a folder of archives.
type folderRun struct{ start, restart, resident, peak, list report.Series }

// folder is rows 5, 6, 8 and 12: all that is known of one start of a slow peer.
func (b *bench) folder(ctx context.Context) error {
	n := min(many, b.largest)
	if err := b.describeArchives(n); err != nil {
		return err
	}
	var ours, theirs, museum folderRun
	var index report.Series
	for range b.runs {
		if err := b.helm2Life(ctx, n, &theirs); err != nil {
			return err
		}
		if err := b.ourLife(ctx, n, &ours); err != nil {
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
			if err := b.museumLife(ctx, n, &museum); err != nil {
				return err
			}
		}
	}
	b.addFolder(thousands(n), ours, theirs, museum, index)
	return nil
}

// affordable tells whether another run of a peer is worth its time: one that takes
// half a minute has three.
func affordable(runs report.Series) bool { return len(runs) < 3 || runs.Spread().Median < 30 }

// helmIndex has Helm 3 index a folder of n archives; it tells the seconds.
func (b *bench) helmIndex(ctx context.Context, n int) (float64, error) {
	dir, err := b.repository("index", n)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	return b.run(ctx, b.tools.helm3, "repo", "index", dir)
}

// addFolder turns what folder has measured into lines. For the peers a restart is
// the same work as a start.
func (b *bench) addFolder(n string, ours, theirs, museum folderRun, index report.Series) {
	const chartmuseum = "ChartMuseum"
	cold := n + " archives, cold, to the first complete index, every archive checked"
	line := func(row int, work, peer string, u report.Unit, o, t report.Series, target float64) report.Comparison {
		c := report.Comparison{Row: row, Work: work, Peer: peer, Unit: u, Ours: o, Theirs: t, Target: target}
		if target > 0 {
			c.Goal = report.Times
		}
		if len(t) > 0 && len(t) < len(o) {
			c.Peer += fmt.Sprintf(" (%d rounds)", len(t))
		}
		if len(t) == 0 {
			c.Missing, c.Ours = "not on PATH", nil
		}
		return c
	}
	b.add(
		line(5, cold, helm2, report.Seconds, ours.start, theirs.start, 4),
		line(5, "the same", "`helm repo index`", report.Seconds, ours.start, index, 0),
		line(5, "the same", chartmuseum, report.Seconds, ours.start, museum.start, 0),
		line(6, "the same, restarted", helm2, report.Seconds, ours.restart, theirs.start, 100),
		line(6, "the same, restarted", "`helm repo index`", report.Seconds, ours.restart, index, 100),
		line(6, "the same, restarted", chartmuseum, report.Seconds, ours.restart, museum.start, 100),
		line(8, "memory with "+n+" archives, after requests for the index and archives: resident", helm2, report.Megabytes, ours.resident, theirs.resident, 4),
		line(8, "the same: peak since the cold start", helm2, report.Megabytes, ours.peak, theirs.peak, 4),
		line(8, "the same: resident", chartmuseum, report.Megabytes, ours.resident, museum.resident, 0),
		line(12, "GET the HTML list, "+n+" versions", helm2, report.Seconds, ours.list, theirs.list, 100),
	)
}

func (b *bench) ourLife(ctx context.Context, n int, r *folderRun) error {
	dir, err := b.repository("ours", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, seconds, err := b.serve(ctx, "--repo-path", dir)
	if err != nil {
		return err
	}
	r.start = append(r.start, seconds)
	err = b.live(ctx, s, n, r)
	s.stop()
	if err != nil {
		return err
	}
	if s, seconds, err = b.serve(ctx, "--repo-path", dir); err != nil {
		return err
	}
	s.stop()
	r.restart = append(r.restart, seconds)
	return nil
}

func (b *bench) helm2Life(ctx context.Context, n int, r *folderRun) error {
	dir, err := b.repository("helm2", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, seconds, err := b.serveHelm2(ctx, dir, true)
	if err != nil {
		return err
	}
	defer s.stop()
	r.start = append(r.start, seconds)
	return b.live(ctx, s, n, r)
}

func (b *bench) museumLife(ctx context.Context, n int, r *folderRun) error {
	dir, err := b.repository("museum", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, seconds, err := b.serveMuseum(ctx, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	r.start = append(r.start, seconds)
	return b.load(ctx, s, n, r)
}

// live loads a server, notes its memory, then asks for its HTML list.
func (b *bench) live(ctx context.Context, s *server, n int, r *folderRun) error {
	if err := b.load(ctx, s, n, r); err != nil {
		return err
	}
	c := newClient(1)
	defer c.close()
	var list report.Series
	for range 3 {
		began := time.Now()
		a, err := c.get(ctx, s.url+"/")
		if err != nil || a.status != http.StatusOK {
			return fmt.Errorf("%s: GET the list: status %d: %w", s.name, a.status, err)
		}
		list = append(list, time.Since(began).Seconds())
	}
	r.list = append(r.list, list.Spread().Median)
	return nil
}

// load asks a server for its index and for archives, and notes its memory.
func (b *bench) load(ctx context.Context, s *server, n int, r *folderRun) error {
	if err := hammer(ctx, func(int) string { return s.url + "/index.yaml" }, 100); err != nil {
		return err
	}
	if err := hammer(ctx, func(i int) string { return s.url + "/" + pathOf(b.archives.file(i*7%n)) }, 2000); err != nil {
		return err
	}
	resident, peak, err := s.memory()
	if err != nil {
		return err
	}
	r.resident, r.peak = append(r.resident, resident), append(r.peak, peak)
	return nil
}

// describeArchives is the page's line about the repositories.
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
	b.found.Corpora = append(b.found.Corpora, fmt.Sprintf("repositories of archives of 5 to 40 KB, %.1f KB in the mean, 20 versions a chart; hard links to the same files for every program", mean/1e3))
	return nil
}
