package repo

import (
	"io/fs"
	"math"
	"time"
)

// stamp is what the file system said of a file when its content was read. The
// inode notices a file that was replaced by a rename with its times kept.
type stamp struct {
	size  int64
	mtime int64 // nanoseconds since 1970
	inode uint64
}

func (s stamp) modTime() time.Time { return time.Unix(0, s.mtime) }

func stampOf(fi fs.FileInfo) stamp {
	return stamp{size: fi.Size(), mtime: nanoseconds(fi.ModTime()), inode: inode(fi)}
}

// nanoseconds since 1970; a time that has no such number, before 1678 or after 2261,
// is the first or the last one that has.
func nanoseconds(t time.Time) int64 {
	switch year := t.Year(); {
	case year < 1678:
		return math.MinInt64
	case year > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// racy is how coarse the clock of a file system may be: a file that was changed
// so shortly before it was read may have changed again without a trace.
const racy = 2 * time.Second

// settled reports whether a file with this newest change, read at that time, can
// be recognised later by its stamp alone.
func settled(newest, read time.Time) bool { return newest.Before(read.Add(-racy)) }
