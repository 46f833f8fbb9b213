package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"chartserve/test/bench/report"
)

// mirror copies a whole repository into an empty folder, and once more without
// news.
func (b *bench) mirror(ctx context.Context) error {
	n := min(many, b.largest)
	dir, err := b.repository("upstream", n)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	found := &report.Mirror{Archives: n}
	if found.Megabytes, err = megabytes(filepath.Join(dir, "*.tgz")); err != nil {
		return err
	}
	s, _, err := b.serve(ctx, "--repo-path", dir)
	if err != nil {
		return err
	}
	defer s.stop()
	for range b.runs {
		to, err := b.folderFor("mirror")
		if err != nil {
			return err
		}
		for _, c := range []*report.Copying{&found.First, &found.Again} {
			if err := b.copying(ctx, c, s.url, to); err != nil {
				return err
			}
		}
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
	b.found.Mirror = found
	return nil
}

// copying runs the mirror once.
func (b *bench) copying(ctx context.Context, c *report.Copying, url, to string) error {
	u, err := b.weigh(ctx, b.tools.chartserve, "mirror", url, "--repo-path", to)
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`, (\d+) requests?\n`).FindSubmatch(u.output)
	if m == nil {
		return fmt.Errorf("mirror: no number of requests in its report:\n%s", tail(u.output))
	}
	c.Seconds, c.Megabytes = append(c.Seconds, u.Seconds), append(c.Megabytes, u.Megabytes)
	c.Requests, err = strconv.Atoi(string(m[1]))
	return err
}

// megabytes is the size of the files that match, together.
func megabytes(pattern string) (float64, error) {
	files, err := filepath.Glob(pattern)
	total := 0.0
	for _, name := range files {
		fi, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		total += float64(fi.Size()) / 1e6
	}
	return total, err
}
