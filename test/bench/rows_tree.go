package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"chartserve/test/bench/report"
	"chartserve/test/corpus/gen"
)

const flow = "Helm 3: `dep up` and `package` a chart, `repo index`"

// packaging is rows 1 and 2.
func (b *bench) packaging(ctx context.Context) error {
	t, tree, err := b.taco()
	if err != nil {
		return err
	}
	b.describeTree(t)
	var cold, again, helm report.Series
	for range b.runs {
		_, theirs, err := b.taco() // Helm writes into the tree
		if err != nil {
			return err
		}
		out, err1 := b.folderFor("out")
		repo, err2 := b.folderFor("repo")
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		h, err := b.helmFlow(ctx, theirs, out, t.Charts)
		if err != nil {
			return err
		}
		c, err1 := b.run(ctx, b.tools.chartserve, "build", tree, "--repo-path", repo)
		a, err2 := b.run(ctx, b.tools.chartserve, "build", tree, "--repo-path", repo)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		helm, cold, again = append(helm, h), append(cold, c), append(again, a)
	}
	b.add(
		report.Comparison{Row: "1", Work: "TACO tree, cold `build`", Peer: flow, Unit: report.Seconds, Ours: cold, Theirs: helm}.AtLeast(25),
		report.Comparison{Row: "2", Work: "TACO tree, `build` again, nothing changed", Peer: flow, Unit: report.Seconds, Ours: again, Theirs: helm}.AtLeast(200),
	)
	return nil
}

// toolkitEdit is row 3.
func (b *bench) toolkitEdit(ctx context.Context) error {
	e, err := b.newEditing(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	charts := withToolkit(e.tree)
	ours, theirs, err := e.rounds(ctx, toolkitTemplate(e.tree), charts)
	if err != nil {
		return err
	}
	b.add(report.Comparison{Row: "3", Work: fmt.Sprintf("one template of helm-toolkit edited while serving, to the served index with %d new digests", len(charts)),
		Peer: flow + ", for those charts", Unit: report.Seconds, Ours: ours, Theirs: theirs}.AtLeast(30))
	return nil
}

// leafEdit is row 4.
func (b *bench) leafEdit(ctx context.Context) error {
	e, err := b.newEditing(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	leaf := dependents(e.tree)[len(dependents(e.tree))/2]
	ours, theirs, err := e.rounds(ctx, leafTemplate(e.tree, leaf), []gen.Chart{leaf})
	if err != nil {
		return err
	}
	b.add(report.Comparison{Row: "4", Work: "one chart edited while serving, to the served index with its new digest",
		Peer: "Helm 3: `dep up`, `package` and `repo index` for that chart", Unit: report.Seconds, Ours: ours, Theirs: theirs}.AtLeast(10))
	return nil
}

// editing is a served tree, and Helm's own copy of the tree with its archives made.
type editing struct {
	b            *bench
	tree         *gen.Tree
	server       *server
	client       *client
	ours, theirs string
	out          string
}

func (b *bench) newEditing(ctx context.Context) (*editing, error) {
	t, ours, err1 := b.taco()
	_, theirs, err2 := b.taco()
	out, err3 := b.folderFor("out")
	repo, err4 := b.folderFor("repo")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	b.describeTree(t)
	// The archives that `repo index` reads are there already, as they would be.
	if _, err := b.run(ctx, b.tools.chartserve, "build", ours, "--repo-path", out); err != nil {
		return nil, err
	}
	s, _, err := b.serve(ctx, ours, "--repo-path", repo)
	if err != nil {
		return nil, err
	}
	return &editing{b: b, tree: t, server: s, client: newClient(1), ours: ours, theirs: theirs, out: out}, nil
}

func (e *editing) close() {
	e.client.close()
	e.server.stop()
}

// rounds edits file in both trees and measures until charts are there anew.
func (e *editing) rounds(ctx context.Context, file string, charts []gen.Chart) (ours, theirs report.Series, err error) {
	for i := range e.b.runs {
		line := fmt.Sprintf("{{- /* edit %d */ -}}", i)
		if err := edit(filepath.Join(e.theirs, file), line); err != nil {
			return nil, nil, err
		}
		t, err := e.b.helmFlow(ctx, e.theirs, e.out, charts)
		if err != nil {
			return nil, nil, err
		}
		o, err := e.one(ctx, filepath.Join(e.ours, file), line, charts)
		if err != nil {
			return nil, nil, err
		}
		ours, theirs = append(ours, o), append(theirs, t)
	}
	return ours, theirs, nil
}

// one edits our file and waits until every one of charts has a new digest.
func (e *editing) one(ctx context.Context, file, line string, charts []gen.Chart) (float64, error) {
	before, etag, err := e.client.digests(ctx, e.server.url)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := edit(file, line); err != nil {
		return 0, err
	}
	at, err := e.client.await(ctx, e.server.url, etag, func(now map[string]string) bool {
		for _, c := range charts {
			key := c.Name + " " + c.Version
			if now[key] == "" || now[key] == before[key] {
				return false
			}
		}
		return true
	})
	return at.Sub(began).Seconds(), err
}
