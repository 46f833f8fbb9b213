// Command limit tells how fast a tree of charts could be packaged at best:
//
//	limit TREE REPO
//
// TREE is the tree of chart directories, REPO a folder with the archives that were
// made from it. Timed are, on all cores, the reading of each source file once, gzip
// at level 6 of the very tar bytes of each archive, and SHA-256 of what comes out.
// Not timed, and so not in the limit: starting a process, finding the files,
// parsing Chart.yaml, writing tar headers, writing anything to disk. It prints the
// seconds, and how many files and bytes that was.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: limit TREE REPO")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "limit: %v\n", err)
		os.Exit(1)
	}
}

func run(tree, repo string, stdout io.Writer) error {
	w, err := collect(tree, repo)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := w.do(); err != nil {
		return err
	}
	took := time.Since(began)
	total := 0
	for _, t := range w.tars {
		total += len(t)
	}
	_, err = fmt.Fprintf(stdout, "%.6f seconds: %d files read, %d archives of %d bytes compressed and hashed\n", took.Seconds(), len(w.files), len(w.tars), total)
	return err
}

// work is what has to be done at the least.
type work struct {
	files []string
	tars  [][]byte
}

// collect reads the archives of repo whose chart stands in tree.
func collect(tree, repo string) (*work, error) {
	archives, err := filepath.Glob(filepath.Join(repo, "*.tgz"))
	if err != nil {
		return nil, err
	}
	w, seen := new(work), map[string]bool{}
	for _, archive := range archives {
		data, err := unzip(archive)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", archive, err)
		}
		files, err := sources(tree, data)
		if errors.Is(err, os.ErrNotExist) {
			continue // an archive that stood in the tree as such
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", archive, err)
		}
		w.tars = append(w.tars, data)
		for _, f := range files {
			if !seen[f] {
				seen[f] = true
				w.files = append(w.files, f)
			}
		}
	}
	if len(w.tars) == 0 {
		return nil, fmt.Errorf("no archive in %s was made from %s", repo, tree)
	}
	return w, nil
}

func unzip(archive string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}

// sources are the files in tree that the members of an archive come from:
// NAME/... from NAME/..., NAME/charts/SUB/... from SUB/...
func sources(tree string, data []byte) ([]string, error) {
	var files []string
	for tr := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files, nil
		} else if err != nil {
			return nil, err
		}
		name := h.Name
		if _, sub, ok := strings.Cut(name, "/charts/"); ok {
			name = sub
		}
		file := filepath.Join(tree, filepath.FromSlash(name))
		if _, err := os.Stat(file); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
}

// do is what is timed.
func (w *work) do() error {
	err := onAllCores(len(w.files), func() func(i int) error {
		return func(i int) error {
			_, err := os.ReadFile(w.files[i])
			return err
		}
	})
	if err != nil {
		return err
	}
	return onAllCores(len(w.tars), func() func(i int) error {
		var out bytes.Buffer
		zw, err := gzip.NewWriterLevel(&out, 6)
		return func(i int) error {
			if err != nil {
				return err
			}
			out.Reset()
			zw.Reset(&out)
			if _, err := zw.Write(w.tars[i]); err != nil {
				return err
			}
			if err := zw.Close(); err != nil {
				return err
			}
			sha256.Sum256(out.Bytes())
			return nil
		}
	})
}

// onAllCores calls what each worker has made for itself with 0 to n-1.
func onAllCores(n int, worker func() func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for k := range errs {
		wg.Go(func() {
			do := worker()
			for i := int(next.Add(1)) - 1; i < n && errs[k] == nil; i = int(next.Add(1)) - 1 {
				errs[k] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
