package repo

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// glance gives the stamp of a regular file right in the folder, in a third of the
// time that os.Root.Stat takes; of everything else it knows nothing.
func (f *folder) glance(name string) (stamp, bool) {
	if f.dir == nil || strings.Contains(name, "/") {
		return stamp{}, false
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(f.dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return stamp{}, false
	}
	return stamp{size: st.Size, mtime: nanoseconds(time.Unix(st.Mtim.Unix())), inode: st.Ino}, true
}
