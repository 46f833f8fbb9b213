package main

import (
	"context"
	"errors"
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
	var seconds, megabytes [2]report.Series
	for range b.runs {
		for i, url := range urls {
			u, err := b.addAndSearch(ctx, url)
			if err != nil {
				return err
			}
			seconds[i], megabytes[i] = append(seconds[i], u.Seconds), append(megabytes[i], u.Megabytes)
		}
	}
	work, peer := "Helm 3: `repo add` and `search repo` on "+report.Count(n)+" versions", "the same index as block YAML"
	b.add(
		report.Comparison{Row: "13", Work: work, Peer: peer, Unit: report.Seconds, Ours: seconds[0], Theirs: seconds[1]}.AtLeast(2),
		report.Comparison{Row: "13", Work: work + ", peak memory", Peer: peer, Unit: report.Megabytes, Ours: megabytes[0], Theirs: megabytes[1]}.AtLeast(3),
	)
	return nil
}

// addAndSearch does what a user does with a new repository. It returns the seconds
// of both commands, and the memory of the larger.
func (b *bench) addAndSearch(ctx context.Context, url string) (usage, error) {
	if err := os.RemoveAll(filepath.Join(b.temp, "home")); err != nil {
		return usage{}, err
	}
	add, err1 := b.weigh(ctx, b.tools.helm3, "repo", "add", "bench", url)
	search, err2 := b.weigh(ctx, b.tools.helm3, "search", "repo", "bench/", "--fail-on-no-result")
	return usage{Seconds: add.Seconds + search.Seconds, Megabytes: max(add.Megabytes, search.Megabytes)}, errors.Join(err1, err2)
}
