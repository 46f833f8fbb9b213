//go:build darwin || freebsd || netbsd

package pkgr

import (
	"io/fs"
	"syscall"
)

// identity gives the change time in nanoseconds and the device and inode of a
// file: what a rewrite that restores size and modification time can't restore.
func identity(fi fs.FileInfo) (ctime int64, dev, ino uint64) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, 0
	}
	return st.Ctimespec.Nano(), uint64(st.Dev), uint64(st.Ino)
}
