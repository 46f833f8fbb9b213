package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"chartserve/test/corpus/gen"
)

// seed makes every corpus.
const seed = 1

// archives is the folder of generated archives that repositories are linked from.
// It stays for the next run.
type archives struct {
	dir string
	gen *gen.Archives
}

func newArchives(dir string) *archives { return &archives{dir: dir, gen: gen.NewArchives(seed)} }

// file is the name of the i-th archive.
func (a *archives) file(i int) string {
	name, version := a.gen.Identity(i)
	return name + "-" + version + ".tgz"
}

// ensure makes what is missing of the first n archives.
func (a *archives) ensure(n int) error {
	have, err := a.have()
	if err != nil || have >= n {
		return err
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return err
	}
	if err := parallel(runtime.GOMAXPROCS(0), have, n, a.write); err != nil {
		return err
	}
	syscall.Sync() // what is measured next shall not wait for this
	return os.WriteFile(a.dir+".count", []byte(strconv.Itoa(n)), 0o644)
}

func (a *archives) write(i int) error {
	name, data := a.gen.Archive(i)
	return os.WriteFile(filepath.Join(a.dir, name), data, 0o644)
}

// have returns how many archives of this generator are there. It makes a few again
// and compares them; the archives of another generator are removed.
func (a *archives) have() (int, error) {
	data, err := os.ReadFile(a.dir + ".count")
	if errors.Is(err, os.ErrNotExist) {
		return 0, os.RemoveAll(a.dir)
	} else if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	for _, i := range []int{0, n / 3, n / 2, n - 1} {
		name, want := a.gen.Archive(max(i, 0))
		got, err1 := os.ReadFile(filepath.Join(a.dir, name))
		if err != nil || err1 != nil || !bytes.Equal(got, want) {
			return 0, errors.Join(os.Remove(a.dir+".count"), os.RemoveAll(a.dir))
		}
	}
	return n, nil
}

// repository is a new folder with the first n archives, as hard links: every
// program reads the same files from the page cache, and none writes to them.
func (b *bench) repository(name string, n int) (string, error) {
	if err := b.archives.ensure(n); err != nil {
		return "", err
	}
	dir, err := b.folderFor(name)
	if err != nil {
		return "", err
	}
	return dir, parallel(runtime.GOMAXPROCS(0), 0, n, func(i int) error { return b.archives.link(i, dir) })
}

// link puts the i-th archive into dir, whole at once, as a careful copy would.
func (a *archives) link(i int, dir string) error {
	return os.Link(filepath.Join(a.dir, a.file(i)), filepath.Join(dir, a.file(i)))
}

// read is the i-th archive's content.
func (a *archives) read(i int) ([]byte, error) { return os.ReadFile(filepath.Join(a.dir, a.file(i))) }

// parallel has workers call do for low to high-1. A worker stops at its first error.
func parallel(workers, low, high int, do func(i int) error) error {
	var next atomic.Int64
	next.Store(int64(low))
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range errs {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < high && errs[w] == nil; i = int(next.Add(1)) - 1 {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// average is the mean size of the first n archives, for the page.
func (a *archives) average(n int) (float64, error) {
	var total int64
	for i := range n {
		fi, err := os.Stat(filepath.Join(a.dir, a.file(i)))
		if err != nil {
			return 0, err
		}
		total += fi.Size()
	}
	return float64(total) / float64(n), nil
}

// near is the archive among the first n whose size is nearest to size.
func (a *archives) near(size int64, n int) (file string, err error) {
	best := int64(1) << 60
	for i := range n {
		fi, err := os.Stat(filepath.Join(a.dir, a.file(i)))
		if err != nil {
			return "", err
		}
		if d := max(fi.Size()-size, size-fi.Size()); d < best {
			best, file = d, a.file(i)
		}
	}
	if file == "" {
		return "", fmt.Errorf("no archive in %s", a.dir)
	}
	return file, nil
}
