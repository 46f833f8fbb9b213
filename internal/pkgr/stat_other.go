//go:build !linux && !freebsd && !openbsd && !dragonfly && !darwin && !netbsd

package pkgr

import "io/fs"

// identity has nothing to add to size and modification time on this system.
func identity(fs.FileInfo) (ctime int64, dev, ino uint64) { return 0, 0, 0 }
