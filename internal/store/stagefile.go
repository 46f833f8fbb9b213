package store

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
)

// StageFile is a file in a Stage that does not have its name yet. It belongs to one
// goroutine at a time.
type StageFile struct {
	stage      *Stage
	file       *os.File
	temp, name string
}

// Create makes a file that will be called name: NAME-VERSION.tgz, or that with .prov
// behind it. Any other name is an error. Call Keep or Discard in the end.
func (s *Stage) Create(name string) (*StageFile, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	return s.create(name)
}

func checkName(name string) error {
	archive := strings.TrimSuffix(name, provExt)
	if path.Ext(archive) != ".tgz" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
		return fmt.Errorf("store: %q is no name for an archive", name)
	}
	return nil
}

func (s *Stage) create(name string) (*StageFile, error) {
	f := &StageFile{stage: s, name: name, temp: fmt.Sprintf("%s%d", tempPrefix, s.temps.Add(1))}
	var err error
	f.file, err = s.root.OpenFile(f.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	return f, err
}

// Rename changes the name that the file will have.
func (f *StageFile) Rename(name string) error {
	f.name = name
	return checkName(name)
}

// OS is the open file.
func (f *StageFile) OS() *os.File { return f.file }

// Write appends to the file.
func (f *StageFile) Write(b []byte) (int, error) { return f.file.Write(b) }

// Keep brings the content to disk and gives the file its name, in place of the one
// that has it. The name is durable with Deliver. After an error the file is gone.
func (f *StageFile) Keep() error {
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
func (f *StageFile) Discard() {
	if f.file.Close() == nil {
		_ = f.stage.root.Remove(f.temp)
	}
}
