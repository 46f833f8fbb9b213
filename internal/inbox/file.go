package inbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
)

// File is a file in a stage that has no name yet.
type File struct {
	stage      *Stage
	file       *os.File
	temp, name string
}

// Create makes a file that will be called name: NAME-VERSION.tgz, or that with
// .prov behind it. Call Keep or Discard in the end.
func (s *Stage) Create(name string) (*File, error) {
	archive := strings.TrimSuffix(name, ".prov")
	if path.Ext(archive) != ".tgz" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
		return nil, fmt.Errorf("inbox: %q is no name for an archive", name)
	}
	return s.create(name)
}

func (s *Stage) create(name string) (*File, error) {
	f := &File{stage: s, name: name, temp: fmt.Sprintf("%s%d", tempPrefix, s.temps.Add(1))}
	var err error
	f.file, err = s.root.OpenFile(f.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	return f, err
}

// OS is the open file.
func (f *File) OS() *os.File { return f.file }

func (f *File) Write(b []byte) (int, error) { return f.file.Write(b) }

// Keep brings the file to disk and gives it its name, in place of what has it.
func (f *File) Keep() error {
	err := errors.Join(f.file.Sync(), f.file.Close())
	if err == nil {
		err = f.stage.root.Rename(f.temp, f.name)
	}
	if err != nil {
		_ = f.stage.root.Remove(f.temp)
	}
	return err
}

// Discard removes the file. After Keep it does nothing.
func (f *File) Discard() {
	if f.file.Close() == nil {
		_ = f.stage.root.Remove(f.temp)
	}
}
