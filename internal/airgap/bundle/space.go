//go:build linux || darwin || freebsd

package bundle

import "syscall"

// freeSpace returns how many bytes the file system of a directory has for this user;
// ok is false where it doesn't tell.
func freeSpace(dir string) (bytes int64, ok bool) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 {
		return 0, false
	}
	return int64(fs.Bavail) * int64(fs.Bsize), true
}
