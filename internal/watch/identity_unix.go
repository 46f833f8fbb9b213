//go:build unix

package watch

import (
	"io/fs"
	"syscall"
)

// identity is a directory itself, whatever its name. The zero value is unknown.
type identity struct{ dev, ino uint64 }

func (id identity) known() bool { return id != identity{} }

func identify(fi fs.FileInfo) identity {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return identity{dev: uint64(st.Dev), ino: uint64(st.Ino)}
	}
	return identity{}
}
