package main

import (
	"context"
	"os"
	"strings"
	"time"
)

// growing is a served folder that archives are added to.
type growing struct {
	b    *bench
	dir  string
	next int
	// server answers client; museum says that it is ChartMuseum's, not ours.
	server *server
	museum bool
	client *client
	// took is how many seconds the start needed.
	took float64
}

// grow serves the first n archives.
func (b *bench) grow(ctx context.Context, n int, museum bool) (*growing, error) {
	// Those that will be added are made in advance.
	if err := b.archives.ensure(n + b.runs + 1); err != nil {
		return nil, err
	}
	dir, err := b.repository("growing", n)
	if err != nil {
		return nil, err
	}
	g := &growing{b: b, dir: dir, next: n, museum: museum, client: newClient(1)}
	if museum {
		g.server, g.took, err = b.serveMuseum(ctx, dir)
	} else {
		g.server, g.took, err = b.serve(ctx, "--repo-path", dir)
	}
	return g, err
}

// restart stops the server and starts it on the same folder; it tells the seconds.
func (g *growing) restart(ctx context.Context) (took float64, err error) {
	g.client.close()
	g.server.stop()
	g.server, took, err = g.b.serve(ctx, "--repo-path", g.dir)
	return took, err
}

// close stops the server and removes its folder.
func (g *growing) close() {
	g.client.close()
	if g.server != nil {
		g.server.stop()
	}
	os.RemoveAll(g.dir)
}

// one adds an archive and tells the seconds until the served index has it. It
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
	var at time.Time
	if g.museum {
		at, err = g.byContent(ctx, name+"-"+version+".tgz")
	} else {
		at, err = g.client.await(ctx, g.server.url, before.etag, func(now map[string]string) bool { return now[name+" "+version] != "" })
	}
	return at.Sub(began).Seconds(), err
}

// byContent is for a server without ETags: it asks for the index until the
// archive's file stands in it.
func (g *growing) byContent(ctx context.Context, file string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		a, err := g.client.get(ctx, g.server.url+"/index.yaml")
		if err != nil {
			return time.Time{}, err
		}
		if strings.Contains(string(a.body), file) {
			return time.Now(), nil
		}
	}
}
