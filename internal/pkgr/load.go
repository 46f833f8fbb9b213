package pkgr

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/roots"
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
	var bad []unreadable
	for _, u := range slices.Concat(t.unread, a.unread) {
		if name := u.dependency(c.Metadata); name != "" {
			c.Unread = append(c.Unread, Unread{name, u.err})
		} else {
			bad = append(bad, u)
		}
	}
	if err := together(bad); err != nil {
		return nil, err
	}
	warnings, err := c.CheckLimits(t.checker.limits)
	if err != nil {
		return nil, err
	}
	c.Warnings = append(c.Warnings, warnings...)
	return c, nil
}

// read reads all files.
func (t *Tree) read() ([]File, error) {
	in := roots.New(t.roots...)
	defer in.Close()
	files := make([]File, len(t.files))
	for i, e := range t.files {
		data := make([]byte, e.Size)
		if err := readListed(in, e.at, e.Exact, data); err != nil {
			return nil, cannotRead(e.name, err)
		}
		files[i] = File{Name: e.name, Data: trimBOM(data)}
	}
	return files, nil
}

// trimBOM drops a UTF-8 byte order mark, as Helm does with every file.
func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }
