package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"chartserve/test/bench/report"
)

// few is the size of the small repository in row 14.
const few = 10

const (
	// uploadRun is how many archives a round of row 14 uploads, one after the other.
	uploadRun = 20
	// uploadClients upload at once in row 15, stormRun archives in each round. The peer
	// gets as many as it can take in some minutes.
	uploadClients = 16
	stormRun      = 640
	museumRun     = 32
)

// uploads is rows 14 and 15: archives that are uploaded to 10 and to 10,000.
func (b *bench) uploads(ctx context.Context) error {
	n := min(many, b.largest)
	if err := b.describeArchives(n); err != nil {
		return err
	}
	if err := b.archives.ensure(n + b.runs*(uploadRun+stormRun)); err != nil {
		return err
	}
	small, err1 := b.receive(ctx, few, n, false)
	large, err2 := b.receive(ctx, n, n, false)
	takers := []*growing{small, large}
	var err3 error
	if b.tools.chartmuseum != "" {
		var museum *growing
		museum, err3 = b.receive(ctx, n, n, true)
		takers = append(takers, museum)
	}
	for _, g := range takers {
		if g != nil {
			defer g.close()
		}
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	one, storm := make([]report.Series, 3), make([]report.Series, 3)
	for range b.runs {
		for i, g := range takers {
			seconds, err := g.oneByOne(ctx)
			if err != nil {
				return err
			}
			one[i] = append(one[i], seconds)
		}
	}
	for range b.runs { // behind row 14: they make the small repository a large one
		for i, g := range takers {
			rate, err := g.atOnce(ctx, g.storm())
			if err != nil {
				return err
			}
			storm[i] = append(storm[i], rate)
		}
	}
	b.addUploads(n, one, storm)
	return nil
}

// addUploads adds the lines: each series is of the small repository, the large one, and
// ChartMuseum.
func (b *bench) addUploads(n int, one, storm []report.Series) {
	upload := "one archive uploaded at " + report.Count(n) + ", from POST to visible"
	rate := fmt.Sprintf("archives uploaded by %d clients at %s, none lost", uploadClients, report.Count(n))
	b.add(
		against(report.Comparison{Row: "14", Work: upload, Peer: chartmuseum, Unit: report.Seconds}, one[1], one[2]).AtLeast(20),
		against(report.Comparison{Row: "14", Work: upload, Peer: "chartserve at " + report.Count(few), Unit: report.Seconds}, one[1], one[0]).AtMost(2),
		against(report.Comparison{Row: "15", Work: rate, Peer: chartmuseum, Unit: report.PerSecond}, storm[1], storm[2]).AtLeast(100),
		against(report.Comparison{Row: "15", Work: rate, Peer: "chartserve at " + report.Count(few), Unit: report.PerSecond}, storm[1], storm[0]),
	)
}

// receive serves the first n archives to who uploads those from next on.
func (b *bench) receive(ctx context.Context, n, next int, museum bool) (*growing, error) {
	dir, err := b.repository("uploads", n)
	if err != nil {
		return nil, err
	}
	g := &growing{b: b, dir: dir, next: next, etags: !museum, client: newClient(uploadClients)}
	if museum {
		g.server, _, err = b.serveMuseum(ctx, dir)
	} else {
		g.server, _, err = b.serve(ctx, "--repo-path", dir, "--allow-upload")
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if !museum {
		err = settled(ctx, g.server, g.client)
	}
	return g, err
}

// settled waits until chartserve has checked the contents of all archives: that is work of
// a cold start, which rows 5 and 6 measure.
func settled(ctx context.Context, s *server, c *client) error {
	var status struct{ Unchecked int }
	var err error
	return errors.Join(s.until(ctx, 100*time.Millisecond, func() bool {
		var a answer
		if a, err = c.get(ctx, strings.TrimSuffix(s.url, "/charts")+"/status"); err == nil {
			status.Unchecked = 0
			err = json.Unmarshal(a.body, &status)
		}
		return err != nil || status.Unchecked == 0
	}), err)
}

// storm is how many archives a round uploads.
func (g *growing) storm() int {
	if g.etags {
		return stormRun
	}
	return museumRun
}

// oneByOne returns the mean seconds from a POST until the version is there.
func (g *growing) oneByOne(ctx context.Context) (float64, error) {
	time.Sleep(500 * time.Millisecond)
	took := time.Duration(0)
	for range uploadRun {
		body, err := g.b.archives.read(g.next)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		if err := g.upload(ctx, body); err != nil {
			return 0, err
		}
		if err := g.visible(ctx, g.next); err != nil {
			return 0, err
		}
		took += time.Since(began)
		g.next++
	}
	return took.Seconds() / uploadRun, nil
}

// atOnce uploads total archives and returns how many a second are answered. It is an error
// when one that was answered is not there afterwards, and, of chartserve, when one is not
// answered: ChartMuseum closes connections where it is slow.
func (g *growing) atOnce(ctx context.Context, total int) (float64, error) {
	first := g.next
	bodies, lost := make([][]byte, total), make([]bool, total)
	for i := range bodies {
		var err error
		if bodies[i], err = g.b.archives.read(first + i); err != nil {
			return 0, err
		}
	}
	g.next += total
	var answered atomic.Int64
	began := time.Now()
	err := parallel(uploadClients, 0, total, func(i int) error {
		err := g.upload(ctx, bodies[i])
		if err == nil {
			answered.Add(1)
		}
		lost[i] = err != nil
		if !g.etags && ctx.Err() == nil {
			return nil
		}
		return err
	})
	rate := float64(answered.Load()) / time.Since(began).Seconds()
	if err != nil {
		return 0, err
	}
	return rate, parallel(uploadClients, 0, total, func(i int) error {
		if lost[i] {
			return nil
		}
		return g.visible(ctx, first+i)
	})
}

func (g *growing) upload(ctx context.Context, archive []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.server.url+"/api/charts", bytes.NewReader(archive))
	if err != nil {
		return err
	}
	a, err := g.client.send(req)
	if err == nil && a.status != http.StatusCreated {
		err = fmt.Errorf("%s: upload: status %d: %s", g.server.name, a.status, tail(a.body))
	}
	return err
}

// visible waits until the i-th archive's version is there. After chartserve's answer it is.
func (g *growing) visible(ctx context.Context, i int) error {
	name, version := g.b.archives.gen.Identity(i)
	url := g.server.url + "/api/charts/" + name + "/" + pathOf(version)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		a, err := g.client.head(ctx, url)
		if err != nil || a.status == http.StatusOK {
			return err
		}
		if g.etags || time.Now().After(deadline) {
			return fmt.Errorf("%s: %s answers %d after its upload", g.server.name, url, a.status)
		}
	}
}
