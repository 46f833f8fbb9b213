//go:build linux

package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// layoutFolder is .oci in a repository folder, as any tool reads it.
type layoutFolder struct {
	dir   string
	known map[string]bool // files that have their digest, by what tells that they are the same
}

// check reads all of it: each index.json is one, what it names is there, and each blob has its
// digest. Nothing is half there. strict: there is no blob that nothing refers to.
func (l *layoutFolder) check(strict bool) error {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err != nil {
			return err
		}
		switch name := e.Name(); name {
		case "_uploads":
		case "_staged":
			if left, rerr := os.ReadDir(filepath.Join(l.dir, name)); len(left) > 0 && !strict || rerr != nil {
				err = fmt.Errorf("%s has %d files", name, len(left))
			}
		case "_blobs":
			err = l.blobs(filepath.Join(l.dir, name), func(hex string, fi os.FileInfo) error {
				if strict && fi.Sys().(*syscall.Stat_t).Nlink < 2 {
					return errors.New("no name has it")
				}
				return nil
			})
		default:
			err = l.name(filepath.Join(l.dir, name), strict)
		}
	}
	return err
}

// name checks the image layout of a name. One that was only just made may have no index.json.
func (l *layoutFolder) name(dir string, strict bool) error {
	var index struct {
		SchemaVersion int
		Manifests     []struct {
			Digest string
			Size   int64
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && index.SchemaVersion != 2 {
		return fmt.Errorf("index.json of %s: %v", filepath.Base(dir), err)
	}
	refers := string(data)
	for _, m := range index.Manifests {
		text, err := os.ReadFile(filepath.Join(dir, "blobs/sha256", strings.TrimPrefix(m.Digest, "sha256:")))
		if err != nil || int64(len(text)) != m.Size {
			return fmt.Errorf("%s names %s, of which there are %d bytes (%v)", filepath.Base(dir), m.Digest, len(text), err)
		}
		refers += string(text)
	}
	return l.blobs(filepath.Join(dir, "blobs"), func(hex string, _ os.FileInfo) error {
		if strict && !strings.Contains(refers, hex) {
			return errors.New("nothing refers to it")
		}
		return nil
	})
}

// blobs checks the digests of all files, and each by also.
func (l *layoutFolder) blobs(dir string, also func(hex string, fi os.FileInfo) error) error {
	dir = filepath.Join(dir, "sha256")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		fi, ferr := e.Info()
		if err = errors.Join(err, ferr); err != nil {
			return err
		}
		st := fi.Sys().(*syscall.Stat_t)
		id := fmt.Sprint(e.Name(), st.Ino, st.Size, st.Mtim)
		if !l.known[id] {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil || digest(data) != e.Name() {
				return fmt.Errorf("%s/%s has other bytes (%v)", dir, e.Name(), err)
			}
			l.known[id] = true
		}
		if err := also(e.Name(), fi); err != nil {
			return fmt.Errorf("%s/%s: %w", dir, e.Name(), err)
		}
	}
	return err
}

// age has all files be two hours old, and uploads but those that are known two days.
func (l *layoutFolder) age(uploads map[string]bool) error {
	return filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		then := time.Now().Add(-2 * time.Hour)
		if strings.HasPrefix(path, filepath.Join(l.dir, "_uploads")) && !uploads[d.Name()] {
			then = then.Add(-46 * time.Hour)
		}
		return os.Chtimes(path, then, then)
	})
}

// uploads checks that there are these and no others.
func (l *layoutFolder) uploads(want map[string]bool) error {
	found := 0
	err := filepath.WalkDir(filepath.Join(l.dir, "_uploads"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if found++; !want[d.Name()] {
			return fmt.Errorf("%s is left", path)
		}
		return nil
	})
	if err == nil && found != len(want) {
		err = fmt.Errorf("%d uploads are there, want %d", found, len(want))
	}
	return err
}
