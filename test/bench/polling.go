package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"chartserve/test/bench/report"
)

const (
	pollers = 500
	// pollingTime is how long the tree changes; once a second.
	pollingTime = time.Minute
)

// polling is the test with many clients while the tree is rebuilt once a second.
func (b *bench) polling(ctx context.Context) error {
	t, tree, err1 := b.taco()
	repo, err2 := b.folderFor("repo")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s, _, err := b.serve(ctx, tree, "--repo-path", repo)
	if err != nil {
		return err
	}
	defer s.stop()
	p := &pollingRun{url: s.url}
	if err := p.first(ctx); err != nil {
		return err
	}
	lasting, cancel := context.WithTimeout(ctx, pollingTime)
	defer cancel()
	var wg sync.WaitGroup
	for i := range pollers {
		wg.Go(func() { p.poll(lasting, time.Duration(i)*time.Second/pollers) })
	}
	file := filepath.Join(tree, toolkitTemplate(t))
	found := &report.Polling{Clients: pollers, Lasted: pollingTime}
	var memory report.Series
	for i := 0; lasting.Err() == nil; i++ {
		if err := edit(file, fmt.Sprintf("{{- /* poll %d */ -}}", i)); err != nil {
			return err
		}
		resident, _, err := s.memory()
		if err != nil {
			return err
		}
		memory = append(memory, resident)
		select {
		case <-lasting.Done():
		case <-time.After(time.Second):
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.into(found)
	quarter := len(memory) / 4
	found.Early, found.Late = memory[quarter:2*quarter], memory[len(memory)-quarter:]
	b.found.Polling = found
	return nil
}

// pollingRun is what the clients have seen.
type pollingRun struct {
	url string
	// versions is how many an index has: one that has fewer is half of one.
	versions int

	mu        sync.Mutex
	latencies report.Series
	changed   int
	etags     map[string]bool
	errors    []string
}

// first notes what a whole index looks like.
func (p *pollingRun) first(ctx context.Context) error {
	c := newClient(1)
	defer c.close()
	a, err := c.get(ctx, p.url+"/index.yaml")
	if err != nil {
		return err
	}
	p.versions, p.etags = count(a.body), map[string]bool{a.etag: true}
	if p.versions == 0 {
		return fmt.Errorf("index: status %d, no version in it", a.status)
	}
	return nil
}

// count is the number of versions in an index of either form.
func count(index []byte) int {
	return bytes.Count(index, []byte("\n    digest: ")) + bytes.Count(index, []byte(`"digest":`))
}

// poll is one client: once a second, give or take a tenth, on its own connection.
func (p *pollingRun) poll(ctx context.Context, after time.Duration) {
	c := newClient(1)
	defer c.close()
	etag := ""
	for wait := after; ; wait = time.Second + time.Duration(rand.IntN(200)-100)*time.Millisecond {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		began := time.Now()
		// Not ctx: a request that has begun is answered.
		a, err := c.do(context.WithoutCancel(ctx), http.MethodGet, p.url+"/index.yaml", map[string]string{"Accept-Encoding": "gzip", "If-None-Match": etag})
		took := time.Since(began)
		if err == nil {
			err = p.check(a, etag)
		}
		p.note(took, a, err)
		etag = a.etag
	}
}

// check holds an answer against what it should be.
func (p *pollingRun) check(a answer, etag string) error {
	switch {
	case a.status == http.StatusNotModified && a.etag == etag:
		return nil
	case a.status != http.StatusOK || a.etag == etag || a.etag == "":
		return fmt.Errorf("status %d, ETag %s after %s", a.status, a.etag, etag)
	}
	index := a.body
	if a.zipped { // for some milliseconds after a start it is not
		zr, err := gzip.NewReader(bytes.NewReader(a.body))
		if err != nil {
			return err
		}
		if index, err = io.ReadAll(zr); err != nil {
			return err
		}
	}
	if n := count(index); n != p.versions {
		return fmt.Errorf("an index with %d versions, not %d", n, p.versions)
	}
	return nil
}

func (p *pollingRun) note(took time.Duration, a answer, err error) {
	const most = 20
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latencies = append(p.latencies, took.Seconds())
	if a.status == http.StatusOK {
		p.changed++
		p.etags[a.etag] = true
	}
	if err != nil && len(p.errors) < most {
		p.errors = append(p.errors, err.Error())
	}
}

func (p *pollingRun) into(found *report.Polling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found.Requests, found.Changed, found.Errors = len(p.latencies), p.changed, p.errors
	found.Rebuilds = len(p.etags) - 1
	s := p.latencies.Spread()
	found.P50, found.P99, found.Max = s.Median, p.latencies.Percentile(99), s.High
}

// unzipped is the number of bytes in a gzip body.
func unzipped(body []byte) (int, error) {
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, zr)
	return int(n), err
}
