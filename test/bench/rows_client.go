package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"chartserve/test/bench/report"
)

// clients is row 13: Helm on one repository that is served in either form.
func (b *bench) clients(ctx context.Context) error {
	n := min(20_000, b.largest)
	if err := b.describeArchives(n); err != nil {
		return err
	}
	var urls []string
	for _, format := range []string{"auto", "yaml"} {
		dir, err := b.repository(format, n)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, _, err := b.serve(ctx, "--repo-path", dir, "--index-format", format)
		if err != nil {
			return err
		}
		defer s.stop()
		urls = append(urls, s.url)
	}
	for _, helm := range []struct{ name, file string }{{"Helm 3", b.tools.helm3}, {"Helm 4", b.tools.helm4}} {
		var seconds, megabytes [2]report.Series
		for range b.runs {
			for i, url := range urls {
				u, err := b.addAndSearch(ctx, helm.file, url)
				if err != nil {
					return err
				}
				seconds[i], megabytes[i] = append(seconds[i], u.Seconds), append(megabytes[i], u.Megabytes)
			}
		}
		work := fmt.Sprintf("%s: `repo add` and `search repo` on %s versions", helm.name, thousands(n))
		peer := "the same index as block YAML"
		b.add(
			report.Comparison{Row: 13, Work: work, Peer: peer, Unit: report.Seconds, Ours: seconds[0], Theirs: seconds[1], Goal: report.Times, Target: 2},
			report.Comparison{Row: 13, Work: work + ", peak memory", Peer: peer, Unit: report.Megabytes, Ours: megabytes[0], Theirs: megabytes[1], Goal: report.Times, Target: 3},
		)
	}
	return nil
}

// addAndSearch is what a user does with a new repository: the seconds of both
// commands, the memory of the larger.
func (b *bench) addAndSearch(ctx context.Context, helm, url string) (usage, error) {
	if err := os.RemoveAll(filepath.Join(b.temp, "home")); err != nil {
		return usage{}, err
	}
	add, err1 := b.weigh(ctx, helm, "repo", "add", "bench", url)
	search, err2 := b.weigh(ctx, helm, "search", "repo", "bench/", "--fail-on-no-result")
	return usage{Seconds: add.Seconds + search.Seconds, Megabytes: max(add.Megabytes, search.Megabytes)}, errors.Join(err1, err2)
}

// format measures what Helm needs to load an index in either form, by size: what
// the limit of --index-format auto is drawn from.
func (b *bench) format(ctx context.Context) error {
	clients := []helmClient{{"Helm 3", b.tools.helm3, false}, {"Helm 4", b.tools.helm4, false}, {"Helm 2.17, for information", b.tools.helm2, true}}
	loads := make([][]report.Load, len(clients))
	for _, n := range []int{500, 1000, 2000, 5000, 10_000, 20_000} {
		if n > b.largest {
			break
		}
		dir, err := b.repository("format", n)
		if err != nil {
			return err
		}
		for _, form := range []string{"yaml", "json"} {
			if _, err := b.run(ctx, b.tools.chartserve, "build", "--repo-path", dir, "--index-format", form); err != nil {
				return err
			}
			if err := os.Rename(filepath.Join(dir, "index.yaml"), filepath.Join(dir, form)); err != nil {
				return err
			}
		}
		for i, c := range clients {
			l, err := b.loads(ctx, c, dir, n)
			if err != nil {
				return err
			}
			loads[i] = append(loads[i], l)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	for _, l := range loads {
		b.found.Loads = append(b.found.Loads, l...)
	}
	return nil
}

// helmClient is a Helm whose cache a file is put into.
type helmClient struct {
	name, file string
	// old is the layout of its home.
	old bool
}

// loads measures one client with both forms of the index in dir, in turn.
func (b *bench) loads(ctx context.Context, c helmClient, dir string, n int) (report.Load, error) {
	l := report.Load{Client: c.name, Versions: n}
	for range b.runs {
		y, err1 := b.searchCached(ctx, c, filepath.Join(dir, "yaml"))
		j, err2 := b.searchCached(ctx, c, filepath.Join(dir, "json"))
		if err := errors.Join(err1, err2); err != nil {
			return l, err
		}
		l.YAML, l.YAMLMemory = append(l.YAML, y.Seconds), append(l.YAMLMemory, y.Megabytes)
		l.JSON, l.JSONMemory = append(l.JSON, j.Seconds), append(l.JSONMemory, j.Megabytes)
	}
	return l, nil
}

// searchCached has the client search for what is not there, so that loading the
// cached index is all the work.
func (b *bench) searchCached(ctx context.Context, c helmClient, index string) (usage, error) {
	const repositories = "apiVersion: v1\ngenerated: 2026-01-01T00:00:00Z\nrepositories:\n- name: bench\n  url: http://127.0.0.1:8879/charts\n  cache: bench-index.yaml\n"
	home := filepath.Join(b.temp, "home")
	config := filepath.Join(home, "config", "repositories.yaml")
	cached := filepath.Join(home, "cache", "repository", "bench-index.yaml")
	args := []string{"search", "repo", "there-is-no-such-chart"}
	if c.old {
		config = filepath.Join(home, "helm2", "repository", "repositories.yaml")
		cached = filepath.Join(home, "helm2", "repository", "cache", "bench-index.yaml")
		args = []string{"search", "there-is-no-such-chart"}
	}
	err := errors.Join(os.MkdirAll(filepath.Dir(config), 0o755), os.MkdirAll(filepath.Dir(cached), 0o755))
	if err := errors.Join(err, os.WriteFile(config, []byte(repositories), 0o644), copyFile(index, cached)); err != nil {
		return usage{}, err
	}
	return b.weigh(ctx, c.file, args...)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
