package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// Tree is a generated directory tree in memory.
type Tree struct {
	// Charts lists the chart directories, sorted by Dir.
	Charts []Chart

	files map[string]file
}

// Chart is one chart directory of a Tree.
type Chart struct {
	Name, Version string
	// Dir is where the chart lies below the tree's root, slash-separated.
	Dir string
	// Toolkit says that the chart depends on helm-toolkit.
	Toolkit bool
}

type file struct {
	data []byte
	// link is the target of a symbolic link; data is then empty.
	link string
	exec bool
}

func newTree() *Tree { return &Tree{files: map[string]file{}} }

func (t *Tree) add(name, data string) { t.files[name] = file{data: []byte(data)} }

func (t *Tree) addScript(name, data string) { t.files[name] = file{data: []byte(data), exec: true} }

func (t *Tree) addLink(name, target string) { t.files[name] = file{link: target} }

// below lists the regular files under dir by their names relative to it, sorted.
func (t *Tree) below(dir string) []string {
	var names []string
	for name, f := range t.files {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok && f.link == "" {
			names = append(names, rest)
		}
	}
	sort.Strings(names)
	return names
}

// Names lists every file and link of the tree, slash-separated, sorted.
func (t *Tree) Names() []string {
	names := make([]string, 0, len(t.files))
	for name := range t.files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Data is the content of a regular file of the tree, nil where there is none.
func (t *Tree) Data(name string) []byte { return t.files[name].data }

// Size is the number of files (links included) and of the bytes in them.
func (t *Tree) Size() (files int, bytes int64) {
	for _, f := range t.files {
		bytes += int64(len(f.data))
	}
	return len(t.files), bytes
}

// Write writes the tree below dir, which is made where it is missing. What is
// there already stays, so that a dirty directory never passes for a fresh one:
// an existing file is an error.
func (t *Tree) Write(dir string) error {
	made := map[string]bool{}
	for _, name := range t.Names() {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if parent := path.Dir(name); !made[parent] {
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				return fmt.Errorf("write tree: %w", err)
			}
			made[parent] = true
		}
		if err := t.files[name].write(target); err != nil {
			return fmt.Errorf("write tree: %w", err)
		}
	}
	return nil
}

func (f file) write(target string) (err error) {
	if f.link != "" {
		return os.Symlink(filepath.FromSlash(f.link), target)
	}
	mode := fs.FileMode(0o644)
	if f.exec {
		mode = 0o755
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = out.Write(f.data)
	return err
}
