//go:build linux

package torture

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// journal notes what is done to a faultFS, and what of it was brought to disk: what
// a power cut may leave.
type journal struct {
	below string

	mu   sync.Mutex
	root *object
	ops  []operation
	// sure is how many of ops are on disk at least.
	sure int
}

// object is a file or a directory, whatever it is called.
type object struct {
	// first, now and synced are a directory's names to begin with, now, and when it
	// was last brought to disk.
	first, now, synced map[string]*object
	// data is a file's content when it was brought to disk; nil: it never was.
	data []byte
}

func (o *object) isDir() bool { return o.now != nil }

func newDir() *object {
	return &object{first: map[string]*object{}, now: map[string]*object{}, synced: map[string]*object{}}
}

// operation gives names in directories to objects, or takes them away, all at once.
type operation []naming

type naming struct {
	dir    *object
	name   string
	object *object // nil: the name is gone
}

// record begins a journal; what is there is on disk.
func (f *faultFS) record(t testing.TB) *journal {
	t.Helper()
	j := &journal{below: f.below}
	var err error
	j.root, err = readObject(f.below)
	must(t, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.journal = j
	return j
}

func readObject(path string) (*object, error) {
	entries, err := os.ReadDir(path)
	if err != nil { // a file
		data, err := os.ReadFile(path)
		return &object{data: append([]byte{}, data...)}, err
	}
	o := newDir()
	for _, e := range entries {
		if o.now[e.Name()], err = readObject(filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
	}
	o.first, o.synced = maps.Clone(o.now), maps.Clone(o.now)
	return o, nil
}

// find gives the object at path, and the directory that it is in.
func (j *journal) find(path string) (dir, found *object, name string) {
	found = j.root
	for name = range strings.SplitSeq(path, "/") {
		if dir = found; dir == nil {
			return nil, nil, name
		}
		found = dir.now[name]
	}
	return dir, found, name
}

// do has act change names, and notes them if it does.
func (f *faultFS) do(act func() syscall.Errno, names func(j *journal) operation) syscall.Errno {
	f.mu.Lock()
	j := f.journal
	f.mu.Unlock()
	if j == nil {
		return act()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e := act()
	if e == 0 {
		op := names(j)
		for _, n := range op {
			if n.object == nil {
				delete(n.dir.now, n.name)
			} else {
				n.dir.now[n.name] = n.object
			}
		}
		j.ops = append(j.ops, op)
	}
	return e
}

func (j *journal) naming(path string, o *object) naming {
	dir, _, name := j.find(path)
	return naming{dir, name, o}
}

// syncedFile notes that a file is on disk.
func (f *faultFS) syncedFile(path string) {
	f.mu.Lock()
	j := f.journal
	f.mu.Unlock()
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, o, _ := j.find(path); o != nil && !o.isDir() {
		data, err := os.ReadFile(filepath.Join(j.below, path))
		if err == nil {
			o.data = append([]byte{}, data...)
		}
	}
}

// syncDir has act bring a directory to disk, and notes it if it does.
func (f *faultFS) syncDir(path string, act func() syscall.Errno) syscall.Errno {
	f.mu.Lock()
	j := f.journal
	f.mu.Unlock()
	if j == nil {
		return act()
	}
	j.mu.Lock()
	_, o, _ := j.find(path)
	var names map[string]*object
	if o != nil {
		names = maps.Clone(o.now)
	}
	ops := len(j.ops)
	j.mu.Unlock()
	e := act()
	if e == 0 && o != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		o.synced, j.sure = names, max(j.sure, ops)
	}
	return e
}

// What a power cut may leave: of names just what was brought to disk; or what was
// done up to some moment since, in order, as file systems with a journal have it; or
// all of them. Of a file that was not brought to disk there is all, a part or nothing.
const (
	onlySynced = iota
	upToSomeMoment
	allNames
	cuts
)

// cut writes to dir what a power cut leaves. Nobody may be writing.
func (j *journal) cut(t testing.TB, dir string, kind int, random *rand.Rand) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	at := map[*object]map[string]*object{}
	names := func(o *object) map[string]*object {
		switch {
		case kind == onlySynced:
			return o.synced
		case kind == allNames:
			return o.now
		case at[o] == nil:
			at[o] = maps.Clone(o.first)
		}
		return at[o]
	}
	if kind == upToSomeMoment {
		for _, op := range j.ops[:j.sure+random.IntN(len(j.ops)-j.sure+1)] {
			for _, n := range op {
				if n.object == nil {
					delete(names(n.dir), n.name)
				} else {
					names(n.dir)[n.name] = n.object
				}
			}
		}
	}
	current := map[*object]string{}
	j.locate(j.root, j.below, current)
	var write func(o *object, path string)
	write = func(o *object, path string) {
		if o.isDir() {
			must(t, os.MkdirAll(path, 0o755))
			for name, child := range names(o) {
				write(child, filepath.Join(path, name))
			}
			return
		}
		data := o.data
		if data == nil {
			whole, _ := os.ReadFile(current[o])
			data = whole[:random.IntN(3)*len(whole)/2]
		}
		must(t, os.WriteFile(path, data, 0o644))
	}
	write(j.root, dir)
}

// locate notes where the objects are now.
func (j *journal) locate(o *object, path string, at map[*object]string) {
	at[o] = path
	for name, child := range o.now {
		j.locate(child, filepath.Join(path, name), at)
	}
}

func (n *faultNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (inode *fs.Inode, e syscall.Errno) {
	e = n.fs.do(func() (e syscall.Errno) {
		inode, e = n.LoopbackNode.Mkdir(ctx, name, mode, out)
		return e
	}, func(j *journal) operation { return operation{j.naming(n.at(name), newDir())} })
	return inode, e
}

func (n *faultNode) Unlink(ctx context.Context, name string) syscall.Errno {
	return n.fs.do(func() syscall.Errno { return n.LoopbackNode.Unlink(ctx, name) },
		func(j *journal) operation { return operation{j.naming(n.at(name), nil)} })
}

func (n *faultNode) Rmdir(ctx context.Context, name string) syscall.Errno {
	return n.fs.do(func() syscall.Errno { return n.LoopbackNode.Rmdir(ctx, name) },
		func(j *journal) operation { return operation{j.naming(n.at(name), nil)} })
}

func (n *faultNode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (inode *fs.Inode, e syscall.Errno) {
	e = n.fs.do(func() (e syscall.Errno) {
		inode, e = n.LoopbackNode.Link(ctx, target, name, out)
		return e
	}, func(j *journal) operation {
		_, o, _ := j.find(target.(*faultNode).at(""))
		return operation{j.naming(n.at(name), o)}
	})
	return inode, e
}
