package layout

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
)

// settle has the names in a directory survive a power cut, and the directory's own.
func (l *Layout) settle(dir string) error {
	var fresh []string
	for above := dir; above != "." && !l.isDurable(above); above = path.Dir(above) {
		fresh = append(fresh, above)
		if err := l.files.SyncDir(path.Dir(above)); err != nil {
			return err
		}
	}
	if err := l.files.SyncDir(dir); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, dir := range fresh {
		l.durable[dir] = true
	}
	return nil
}

func (l *Layout) isDurable(dir string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable[dir]
}

// newTemp is the name of a file that is to be staged.
func (l *Layout) newTemp() (string, error) {
	l.swept.Do(func() { _ = l.root.RemoveAll(staged) }) // of a killed owner
	if err := l.files.MkdirAll(staged); err != nil {
		return "", err
	}
	return path.Join(staged, strconv.FormatUint(l.temps.Add(1), 10)), nil
}

// stage writes a new file, which is on disk then.
func (l *Layout) stage(data []byte) (temp string, err error) {
	if temp, err = l.newTemp(); err != nil {
		return "", err
	}
	if err := l.write(temp, bytes.NewReader(data)); err != nil {
		l.discard(temp)
		return "", err
	}
	return temp, nil
}

// write makes a file of what r has, on disk.
func (l *Layout) write(name string, r io.Reader) error {
	f, err := l.files.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(l.files.Writer(f), r); err != nil {
		return errors.Join(err, f.Close())
	}
	return l.files.SyncFile(f)
}

// writeFile replaces a file whole. Its name is durable once settle was called.
func (l *Layout) writeFile(name string, data []byte) error {
	temp, err := l.stage(data)
	if err != nil {
		return err
	}
	if err := l.files.Rename(temp, name); err != nil {
		l.discard(temp)
		return err
	}
	return nil
}

// discard removes a staged file. Where that fails the next owner does it.
func (l *Layout) discard(temp string) { _ = l.files.Remove(temp) }
