package bundle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"chartserve/internal/chart"
)

// ReadManifest reads the manifest in path: a manifest's own file, a bundle, or a
// bundle's first part. The error is a *chart.Error or the file system's.
func ReadManifest(ctx context.Context, path string) (*Manifest, error) {
	m, err := readManifest(ctx, path)
	if f := new(chart.Error); errors.As(err, &f) && f.File == ManifestName {
		f.File = path
	}
	return m, err
}

func readManifest(ctx context.Context, path string) (*Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	if first, err := r.Peek(1); err == nil && first[0] == '{' {
		data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
		if err != nil {
			return nil, err
		}
		return DecodeManifest(data)
	}
	src, err := newSource(ctx, []string{path}, nil, func(*chart.Error) {})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return readFirst(src)
}

// Base holds the files that a delta leaves out. Make one with OpenBase.
type Base struct {
	path     string
	manifest *Manifest // nil for a repository folder
}

// OpenBase takes a repository folder, a manifest, or an earlier bundle.
func OpenBase(ctx context.Context, path string) (*Base, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if fi.IsDir() {
		return &Base{path: path}, nil
	}
	m, err := ReadManifest(ctx, path)
	return &Base{path: path, manifest: m}, err
}

// check reports what the delta m leaves out and the base does not have.
func (b *Base) check(ctx context.Context, m *Manifest) (chart.Errors, error) {
	if b.manifest != nil {
		return b.checkManifest(m), nil
	}
	to, err := openTarget(b.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path, err)
	}
	defer to.dir.Close()
	var findings chart.Errors
	for i := range m.Files {
		f := &m.Files[i]
		if !f.InBase {
			continue
		}
		switch has, err := to.has(ctx, f); {
		case err != nil:
			return nil, err
		case has != same:
			findings = append(findings, notInBase(b.path, f, has))
		}
	}
	return findings, nil
}

func (b *Base) checkManifest(m *Manifest) chart.Errors {
	if m.Base == "" {
		return nil
	}
	if got := b.manifest.Digest(); got != m.Base {
		return chart.Errors{{
			Kind: ErrBase, File: b.path, Reason: "its manifest has the SHA-256 " + got + ", the delta was made on " + m.Base,
			Remedy: "name the base that the delta was made on",
		}}
	}
	have := map[string]*File{}
	for i := range b.manifest.Files {
		have[b.manifest.Files[i].Name] = &b.manifest.Files[i]
	}
	var findings chart.Errors
	for i := range m.Files {
		if f := &m.Files[i]; f.InBase && (have[f.Name] == nil || !have[f.Name].same(f)) {
			findings = append(findings, notInBase(b.path, f, missing))
		}
	}
	return findings
}

func notInBase(base string, f *File, has presence) *chart.Error {
	problem := "the delta leaves it out, and it is not there"
	if has == other {
		problem = "the delta leaves it out, and it has other bytes there"
	}
	return &chart.Error{
		Kind: ErrBase, File: filepath.Join(base, f.Name), Reason: problem,
		Remedy: "load the base of this delta first, or a bundle that is no delta",
	}
}
