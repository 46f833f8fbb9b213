package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// folder adds the archives that the index of a repository folder names, or all
// that are there where it has none. shown stands for the folder in messages.
func (s *imageScan) folder(dir, shown string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.Open("index.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return s.unindexed(root, dir, shown)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, index.MaxJSON+1))
	if err != nil {
		return err
	}
	file, err := index.Decode(data)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(shown, "index.yaml"), err)
	}
	for _, err := range file.Skipped {
		s.fail(filepath.Join(shown, "index.yaml"), err)
	}
	for _, e := range file.Entries {
		name, ok := archiveOf(root, e)
		if !ok {
			s.fail(filepath.Join(shown, "index.yaml"), fmt.Errorf("%s %s is not in the folder (mirror it, or remove it from the index)", e.Name, e.Version))
			continue
		}
		a := imageArchive{folder: dir, name: name, shown: filepath.Join(shown, name)}
		if dir != shown { // a person never sees dir
			a.shown = filepath.Join(shown, e.Name) + " " + e.Version
		}
		s.archives = append(s.archives, a)
	}
	return nil
}

// archiveOf finds the archive of an entry: where its URL leads, or under its usual
// name, as in a folder whose index has the URLs of a server.
func archiveOf(root *os.Root, e *index.Entry) (name string, ok bool) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "", false
	}
	md := chart.Metadata{Name: e.Name, Version: e.Version}
	for _, name := range append(index.FolderPaths(u), md.ArchiveName()) {
		if fi, err := root.Stat(name); err == nil && fi.Mode().IsRegular() {
			return name, true
		}
	}
	return "", false
}

func (s *imageScan) unindexed(root *os.Root, dir, shown string) error {
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.Type().IsRegular() && path.Ext(name) == ".tgz":
			s.archives = append(s.archives, imageArchive{folder: dir, name: name, shown: filepath.Join(shown, name)})
		}
		return nil
	})
}
