package pkgr

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"chartserve/internal/chart"
)

// A file that changes while it is read is listed and read again, attempts times
// in all, with a growing pause: editors and git write in bursts of milliseconds.
const (
	attempts = 4
	pause    = 5 * time.Millisecond
)

// Load reads the files of t into a Chart, with all that Helm's loader and `helm
// package` would check. Where a file is no longer what was listed, t is listed
// again, so that t's fields always describe what was loaded.
func (t *Tree) Load() (*Chart, error) {
	var failed error
	for i := range attempts {
		if i > 0 {
			time.Sleep(pause << i)
			if err := t.list(); err != nil {
				return nil, err
			}
		}
		files, err := t.read()
		if err == nil {
			return t.assemble(files)
		}
		if failed = err; errors.Is(err, fs.ErrPermission) {
			break
		}
	}
	return nil, failed
}

// assemble makes a Chart of what was read.
func (t *Tree) assemble(files []File) (*Chart, error) {
	if t.hidden {
		return nil, chart.Refuse(chart.ErrMetadata, chart.MetadataFile, ".helmignore leaves it out, so Helm finds no chart here",
			"take out the pattern that matches Chart.yaml; a line that begins with ! leaves out all that it does not match")
	}
	a := &assembler{checker: t.checker, budget: newBudget(t.checker.limits), source: true}
	c, err := a.chart("", files, 0)
	if err != nil {
		return nil, err
	}
	warnings, err := c.CheckLimits(t.checker.limits)
	if err != nil {
		return nil, err
	}
	c.Warnings = append(c.Warnings, warnings...)
	return c, nil
}

// read reads all files. Their contents lie in one piece of memory, as they live
// and die together; vendored archives, which don't stay, have their own.
func (t *Tree) read() ([]File, error) {
	confined, err := openConfined(t.root)
	if err != nil {
		return nil, cannotRead("", err)
	}
	defer confined.Close()
	r := reader{confined: confined, rel: t.rel}
	defer r.close()

	var total int64
	for i := range t.files {
		if !t.files[i].vendored() {
			total += t.files[i].Size
		}
	}
	slab := make([]byte, total)
	files := make([]File, len(t.files))
	for i := range t.files {
		e := &t.files[i]
		var data []byte
		if e.vendored() {
			data = make([]byte, e.Size)
		} else {
			data, slab = slab[:e.Size:e.Size], slab[e.Size:]
		}
		if err := r.read(e, data); err != nil {
			return nil, cannotRead(e.name, err)
		}
		files[i] = File{Name: e.name, Data: trimBOM(data)}
	}
	return files, nil
}

// vendored reports whether e is an archive in a charts/ directory.
func (e *entry) vendored() bool {
	_, rest, _ := place(e.name)
	return isNested(rest)
}

// trimBOM drops a UTF-8 byte order mark, as Helm does with every file.
func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

// reader opens the files of a Tree. Files come directory by directory, so it
// keeps the last one open and saves the way there.
type reader struct {
	confined confined
	rel      string   // of the chart
	root     *os.Root // of dir
	dir      string
}

func (r *reader) close() {
	if r.root != nil {
		r.root.Close()
	}
	r.root = nil
}

func (r *reader) read(e *entry, buf []byte) error {
	at := e.real
	if at == "" {
		at = join(r.rel, e.name)
	}
	dir, name := path.Split(at)
	if r.root == nil || dir != r.dir {
		r.close()
		root, err := r.confined.OpenRoot(dir + ".")
		if err != nil {
			return err
		}
		r.root, r.dir = root, dir
	}
	return readListed(r.root, name, e.Exact, buf)
}
