package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"chartserve/internal/chart"
)

// ReadManifest reads the manifest in path: a manifest's own file, a bundle, or a
// bundle's first part. The error is a *chart.Error or the file system's.
func ReadManifest(ctx context.Context, path string) (m *Manifest, err error) {
	defer func() {
		if f := new(chart.Error); errors.As(err, &f) && f.File == ManifestName {
			f.File = path
		}
	}()
	src, err := newSource(ctx, []string{path}, nil, func(*chart.Error) {})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	r := bufio.NewReader(src)
	if first, err := r.Peek(1); err != nil || first[0] != '{' {
		return readFirst(r)
	}
	data, err := chart.ReadAtMost(r, maxManifest)
	if errors.Is(err, chart.ErrLimit) {
		return nil, badManifest("%v", err)
	}
	if err != nil {
		return nil, err
	}
	return DecodeManifest(data)
}

// checkBase finds what the delta m leaves out and its base, a repository folder, a
// manifest or a bundle at path, does not have.
func checkBase(ctx context.Context, path string, m *Manifest) (chart.Errors, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	has := map[string]presence{}
	if fi.IsDir() {
		to, err := openTarget(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer to.dir.Close()
		for f := range m.inBase() {
			if has[f.Name], err = compare(ctx, to.dir, to.place(f), f); err != nil {
				return nil, err
			}
		}
		return lacking(path, m, has), nil
	}
	base, err := ReadManifest(ctx, path)
	if err != nil {
		return nil, err
	}
	if got := base.Digest(); m.Base != "" && got != m.Base {
		return chart.Errors{finding(ErrBase, path, "its manifest has the SHA-256 "+got+", the delta was made on "+m.Base,
			"name the base that the delta was made on")}, nil
	}
	have := base.byName()
	for f := range m.inBase() {
		if old := have[f.Name]; old != nil && old.same(f) {
			has[f.Name] = same
		}
	}
	return lacking(path, m, has), nil
}

// lacking sums up which of the files that the delta m leaves out are not in its base,
// or with other bytes.
func lacking(base string, m *Manifest, has map[string]presence) (findings chart.Errors) {
	for _, bad := range []struct {
		has  presence
		text string
	}{{missing, "not there"}, {other, "there with other bytes"}} {
		var names []string
		total := 0
		for f := range m.inBase() {
			total++
			if has[f.Name] == bad.has {
				names = append(names, f.Name)
			}
		}
		const most = 3
		remedy := "load the base of this delta first (the SHA-256 of its manifest is " + m.Base + "), or a bundle that is no delta"
		switch n := len(names); {
		case n == 1:
			findings = append(findings, finding(ErrBase, filepath.Join(base, names[0]), "the delta leaves it out, and it is "+bad.text, remedy))
		case n > 1:
			shown := strings.Join(names[:min(n, most)], ", ")
			if n > most {
				shown += " and more"
			}
			findings = append(findings, finding(ErrBase, base,
				fmt.Sprintf("of the %d files that the delta leaves out %d are %s: %s", total, n, bad.text, shown), remedy))
		}
	}
	return findings
}
