package pkgr

import (
	"encoding/binary"
	"io/fs"
	"time"
)

// stamp is what the file system says of one file. Two equal stamps of one path
// mean equal content, but for writes within one tick of the clock; Tree.Newest
// is there for those.
type stamp struct {
	size, mtime, ctime int64
	dev, ino           uint64
	mode               fs.FileMode
}

func stampOf(fi fs.FileInfo) stamp {
	ctime, dev, ino := identity(fi)
	return stamp{
		size:  fi.Size(),
		mtime: fi.ModTime().UnixNano(),
		ctime: ctime,
		dev:   dev,
		ino:   ino,
		mode:  fi.Mode(),
	}
}

// appendTo adds s to what a fingerprint is taken of.
func (s stamp) appendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(s.size))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.mtime))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.ctime))
	b = binary.LittleEndian.AppendUint64(b, s.dev)
	b = binary.LittleEndian.AppendUint64(b, s.ino)
	return binary.LittleEndian.AppendUint32(b, uint32(s.mode))
}

// newest is the later of the two times of s.
func (s stamp) newest() time.Time {
	return time.Unix(0, max(s.mtime, s.ctime))
}
