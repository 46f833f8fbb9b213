//go:build linux

package torture

import (
	"context"
	iofs "io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// faultFS is a directory behind a real file system that fails as it is told. The
// kernel caches nothing of it: every operation comes here.
type faultFS struct {
	dir   string // where it is mounted
	below string // the directory that it shows, where nothing fails

	mu     sync.Mutex
	faults []*fault
	quota  int64 // bytes in all files; 0: no end
	over   int   // writes that the quota refused

	journal *journal // nil: nothing is recorded
}

// fault lets operations of one kind fail: lookup (of any name that is named), open,
// create, read, write, fsync (of files and directories), rename or readdir.
type fault struct {
	op    string
	errno syscall.Errno          // 0: they are only counted
	name  func(path string) bool // path from the top on, of a rename the new one; nil: all
	after int                    // how many succeed first
	once  bool                   // one fails, all after it succeed

	seen, failed int // so far; read them through counts
}

// mountFaults mounts a faultFS. Nothing fails until it is told so.
func mountFaults(t *testing.T) *faultFS {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a file system with faults")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("no file system with faults here: %v", err)
	}
	f := &faultFS{dir: t.TempDir(), below: t.TempDir()}
	root, err := fs.NewLoopbackRoot(f.below)
	must(t, err)
	var uncached time.Duration
	mounted, err := fs.Mount(f.dir, &faultNode{root.(*fs.LoopbackNode), f}, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "faults", Name: "torture"},
		EntryTimeout: &uncached, AttrTimeout: &uncached, NegativeTimeout: &uncached,
	})
	if err != nil {
		t.Skipf("no file system with faults can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		f.mend()
		if mounted.Unmount() != nil {
			_ = syscall.Unmount(f.dir, syscall.MNT_DETACH) // as good as can be
		}
	})
	return f
}

// fail adds a fault.
func (f *faultFS) fail(x *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, x)
}

// mend takes all faults and the quota away.
func (f *faultFS) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.quota = nil, 0
}

// room sets the quota so that this much more can be written.
func (f *faultFS) room(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quota = f.used() + bytes
}

// refused is how many writes the quota has refused.
func (f *faultFS) refused() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// counts tells how many operations a fault was asked about, and how many it let
// fail.
func (f *faultFS) counts(x *fault) (seen, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return x.seen, x.failed
}

// settle waits until a fault has let an operation fail, or is asked no more.
func (f *faultFS) settle(x *fault) {
	for last, quiet := 0, 0; quiet < 40; time.Sleep(20 * time.Millisecond) {
		seen, failed := f.counts(x)
		if failed > 0 {
			return
		}
		if quiet++; seen == 0 || seen != last {
			last, quiet = seen, 0
		}
	}
}

// used is the size of all files, each counted once whatever its links.
func (f *faultFS) used() (sum int64) {
	known := map[uint64]bool{}
	_ = filepath.WalkDir(f.below, func(_ string, d iofs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return nil // it is gone
		}
		if ino := fi.Sys().(*syscall.Stat_t).Ino; !known[ino] {
			known[ino] = true
			sum += fi.Size()
		}
		return nil
	})
	return sum
}

// errno is what an operation fails with; 0: it does not.
func (f *faultFS) errno(op, path string) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.faults {
		if x.op != op || x.name != nil && !x.name(path) {
			continue
		}
		x.seen++
		if x.errno == 0 || x.seen <= x.after || x.once && x.failed > 0 {
			continue
		}
		x.failed++
		return x.errno
	}
	return 0
}

// exceeds tells whether the quota has no room for so many bytes more.
func (f *faultFS) exceeds(growth int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if growth <= 0 || f.quota == 0 || f.used()+growth <= f.quota {
		return false
	}
	f.over++
	return true
}

// faultNode is a file or directory of a faultFS.
type faultNode struct {
	*fs.LoopbackNode
	fs *faultFS
}

func (n *faultNode) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	return &faultNode{ops.(*fs.LoopbackNode), n.fs}
}

// at is the path of a name in the directory n, from the top on.
func (n *faultNode) at(name string) string { return filepath.Join(n.Path(n.Root()), name) }

func (n *faultNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if e := n.fs.errno("lookup", n.at(name)); e != 0 {
		return nil, e
	}
	return n.LoopbackNode.Lookup(ctx, name, out)
}

func (n *faultNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if e := n.fs.errno("open", n.at("")); e != 0 {
		return nil, 0, e
	}
	h, _, e := n.LoopbackNode.Open(ctx, flags)
	if e != 0 {
		return nil, 0, e
	}
	return &faultFile{h.(*fs.LoopbackFile), n}, fuse.FOPEN_DIRECT_IO, 0
}

func (n *faultNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if e := n.fs.errno("create", n.at(name)); e != 0 {
		return nil, nil, 0, e
	}
	var inode *fs.Inode
	var h fs.FileHandle
	e := n.fs.do(func() (e syscall.Errno) {
		inode, h, _, e = n.LoopbackNode.Create(ctx, name, flags, mode, out)
		return e
	}, func(j *journal) operation { return operation{j.naming(n.at(name), &object{})} })
	if e != 0 {
		return nil, nil, 0, e
	}
	file := &faultFile{h.(*fs.LoopbackFile), inode.Operations().(*faultNode)}
	return inode, file, fuse.FOPEN_DIRECT_IO, 0
}

func (n *faultNode) Rename(ctx context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	if e := n.fs.errno("rename", parent.(*faultNode).at(to)); e != 0 {
		return e
	}
	return n.fs.do(func() syscall.Errno { return n.LoopbackNode.Rename(ctx, name, parent, to, flags) },
		func(j *journal) operation {
			_, o, _ := j.find(n.at(name))
			return operation{j.naming(n.at(name), nil), j.naming(parent.(*faultNode).at(to), o)}
		})
}

func (n *faultNode) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, how, e := n.LoopbackNode.OpendirHandle(ctx, flags)
	if e != 0 {
		return nil, 0, e
	}
	return &faultDir{h.(openDir), n}, how, 0
}

// faultFile is an open file of a faultFS.
type faultFile struct {
	*fs.LoopbackFile
	node *faultNode
}

// PassthroughFd keeps the kernel from reading past this file system.
func (f *faultFile) PassthroughFd() (int, bool) { return 0, false }

func (f *faultFile) Read(ctx context.Context, buf []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if e := f.node.fs.errno("read", f.node.at("")); e != 0 {
		return nil, e
	}
	return f.LoopbackFile.Read(ctx, buf, off)
}

func (f *faultFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if e := f.node.fs.errno("write", f.node.at("")); e != 0 {
		return 0, e
	}
	var now fuse.AttrOut
	if e := f.Getattr(ctx, &now); e != 0 {
		return 0, e
	}
	if f.node.fs.exceeds(off + int64(len(data)) - int64(now.Size)) {
		return 0, syscall.EDQUOT
	}
	return f.LoopbackFile.Write(ctx, data, off)
}

func (f *faultFile) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if e := f.node.fs.errno("fsync", f.node.at("")); e != 0 {
		return e
	}
	e := f.LoopbackFile.Fsync(ctx, flags)
	if e == 0 {
		f.node.fs.syncedFile(f.node.at(""))
	}
	return e
}

// openDir is what an open directory of go-fuse can do.
type openDir interface {
	fs.FileReaddirenter
	fs.FileFsyncdirer
	fs.FileSeekdirer
	fs.FileReleasedirer
}

// faultDir is an open directory of a faultFS.
type faultDir struct {
	openDir
	node *faultNode
}

func (d *faultDir) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	if e := d.node.fs.errno("readdir", d.node.at("")); e != 0 {
		return nil, e
	}
	return d.openDir.Readdirent(ctx)
}

func (d *faultDir) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	if e := d.node.fs.errno("fsync", d.node.at("")); e != 0 {
		return e
	}
	return d.node.fs.syncDir(d.node.at(""), func() syscall.Errno { return d.openDir.Fsyncdir(ctx, flags) })
}
