//go:build linux || openbsd || dragonfly || solaris

package fileid

import (
	"io/fs"
	"syscall"
)

func identify(fi fs.FileInfo) (id ID, changeTime int64) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return ID{}, 0
	}
	return ID{Dev: uint64(st.Dev), Inode: st.Ino}, st.Ctim.Nano()
}

func links(fi fs.FileInfo) uint64 {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Nlink)
}
