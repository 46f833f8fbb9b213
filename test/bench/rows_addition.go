package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	steps := []func(context.Context) (float64, error){merge.one}
	for _, n := range []int{small, large} {
		g, err := b.grow(ctx, n, false)
		if err != nil {
			return err
		}
		defer g.close()
		steps = append(steps, g.one)
	}
	if b.tools.chartmuseum != "" {
		g, err := b.grow(ctx, small, true)
		if err != nil {
			return err
		}
		defer g.close()
		steps = append(steps, g.one)
	}
	took := make([]report.Series, 4)
	for range b.runs {
		for i, step := range steps {
			seconds, err := step(ctx)
			if err != nil {
				return err
			}
			took[i] = append(took[i], seconds)
		}
	}
	helm, ours, atLarge, museum := took[0], took[1], took[2], took[3]
	line := func(work, peer string, o, t report.Series) report.Comparison {
		return against(report.Comparison{Row: "7", Work: work, Peer: peer, Unit: report.Seconds}, o, t)
	}
	b.add(
		line("one archive added at "+report.Count(small)+", to the served index", chartmuseum+", `--always-regenerate-chart-index`", ours, museum).AtLeast(25),
		line("the same", "Helm 3: `repo index --merge` of a folder with just that archive", ours, helm).AtLeast(25),
		line("one archive added at "+report.Count(large), "chartserve at "+report.Count(small), atLarge, ours).AtMost(3),
	)
	return nil
}

// merging is the least work that Helm has for one more archive: it reads its index
// of all the others, and that archive alone.
type merging struct {
	b     *bench
	index string
	next  int
}

// newMerging makes the index of the first n archives as block YAML, Helm's form.
func (b *bench) newMerging(ctx context.Context, n int) (*merging, error) {
	if err := b.archives.ensure(n + b.runs); err != nil {
		return nil, err
	}
	dir, err := b.repository("merging", n)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := b.run(ctx, b.tools.chartserve, "index", dir, "--index-format", "yaml"); err != nil {
		return nil, err
	}
	m := &merging{b: b, index: filepath.Join(b.temp, "merge-with.yaml"), next: n}
	return m, os.Rename(filepath.Join(dir, "index.yaml"), m.index)
}

// one merges one more archive and returns the seconds.
func (m *merging) one(ctx context.Context) (float64, error) {
	dir, err := m.b.folderFor("one")
	if err != nil {
		return 0, err
	}
	if err := m.b.archives.link(m.next, dir); err != nil {
		return 0, err
	}
	m.next++
	return m.b.run(ctx, m.b.tools.helm3, "repo", "index", dir, "--merge", m.index)
}

// growing is a served folder that archives are added to.
type growing struct {
	b    *bench
	dir  string
	next int
	// server answers client. Without ETags, as ChartMuseum, it is asked for the
	// whole index until the archive is in it.
	server *server
	etags  bool
	client *client
}

// grow serves the first n archives, by chartserve or by ChartMuseum.
func (b *bench) grow(ctx context.Context, n int, museum bool) (*growing, error) {
	// Those that will be added are made in advance.
	if err := b.archives.ensure(n + b.runs); err != nil {
		return nil, err
	}
	dir, err := b.repository("growing", n)
	if err != nil {
		return nil, err
	}
	g := &growing{b: b, dir: dir, next: n, etags: !museum, client: newClient(1)}
	if museum {
		// By itself it looks at the folder once in five minutes; so it does at each request.
		g.server, _, err = b.serveMuseum(ctx, dir, "--always-regenerate-chart-index")
	} else {
		g.server, _, err = b.serve(ctx, "--repo-path", dir)
	}
	return g, err
}

// close stops the server and removes its folder.
func (g *growing) close() {
	g.client.close()
	g.server.stop()
	os.RemoveAll(g.dir)
}

// one adds an archive and returns the seconds until the served index has it. It
// waits a little first, for what the last one has left to do.
func (g *growing) one(ctx context.Context) (float64, error) {
	time.Sleep(500 * time.Millisecond)
	before, err := g.client.head(ctx, g.server.url+"/index.json")
	if err != nil {
		return 0, err
	}
	name, version := g.b.archives.gen.Identity(g.next)
	began := time.Now()
	if err := g.b.archives.link(g.next, g.dir); err != nil {
		return 0, err
	}
	g.next++
	at, err := time.Time{}, error(nil)
	if g.etags {
		at, err = g.client.await(ctx, g.server.url, before.etag, func(now map[string]string) bool { return now[name+" "+version] != "" })
	} else {
		at, err = g.client.awaitText(ctx, g.server.url+"/index.yaml", name+"-"+version+".tgz")
	}
	return at.Sub(began).Seconds(), err
}

// awaitText asks for url until text is in the answer.
func (c *client) awaitText(ctx context.Context, url, text string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		a, err := c.get(ctx, url)
		if err != nil {
			return time.Time{}, err
		}
		if strings.Contains(string(a.body), text) {
			return time.Now(), nil
		}
	}
}
