// Package fileid answers one question from what a stat says: is this still the
// file that was seen before, with the content that it had then.
//
// What it can tell: another size, modification time or inode is another content,
// or another file under the old name. ID tells which names lead to one file.
//
// What it can't tell: a file that is written twice within one tick of the file
// system's clock looks the same after both. Settled says from when on that is over.
// A write after which size and modification time are set back is noticed by Exact
// alone: it has the change time, which nobody can set.
//
// Unix systems have all of it. Elsewhere, as on Windows, a stat has no inode, device
// or change time: these are zero, and files are told apart by size and modification
// time.
package fileid

import (
	"encoding/binary"
	"io/fs"
	"math"
	"time"
)

// Coarse is how coarse the clock of a file system may be. FAT's is the coarsest.
const Coarse = 2 * time.Second

// Settled reports whether a file whose newest time is newest, and that was read at
// read, can be recognised by its times. One that had changed less than Coarse before
// it was read may have changed again without a trace.
func Settled(newest, read time.Time) bool { return newest.Before(read.Add(-Coarse)) }

// ID is a file or directory itself, whatever its names. It is unknown where it is
// zero. It holds while a file system is mounted: a device may have another number
// after that.
type ID struct{ Dev, Inode uint64 }

// Known reports whether the system has said which file it is.
func (id ID) Known() bool { return id != ID{} }

// IDOf returns the ID of the file that fi describes.
func IDOf(fi fs.FileInfo) ID {
	id, _ := identify(fi)
	return id
}

// Links is how many names the file has that fi describes; 0 where the system does not say.
func Links(fi fs.FileInfo) uint64 { return links(fi) }

// Stamp is what differs when a file's content does, and stays when a file is renamed,
// linked, given other rights, or found again after its disk was mounted anew. The
// inode notices a file that another one replaced with its times kept.
type Stamp struct {
	Size    int64
	ModTime int64 // nanoseconds since 1970
	Inode   uint64
}

// StampOf returns the Stamp of the file that fi describes.
func StampOf(fi fs.FileInfo) Stamp {
	return Stamp{Size: fi.Size(), ModTime: nanoseconds(fi.ModTime()), Inode: IDOf(fi).Inode}
}

// Time returns the modification time. One before 1678 or after 2261 is the first or
// the last time that Stamp can hold.
func (s Stamp) Time() time.Time { return time.Unix(0, s.ModTime) }

func nanoseconds(t time.Time) int64 {
	switch year := t.Year(); {
	case year < 1678:
		return math.MinInt64
	case year > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Exact is all that a stat says of a file. It differs also when a file was renamed,
// linked or given other rights since.
type Exact struct {
	Stamp
	ChangeTime int64 // nanoseconds since 1970; 0 where there is none
	Dev        uint64
	Mode       fs.FileMode
}

// ExactOf returns the Exact of the file that fi describes.
func ExactOf(fi fs.FileInfo) Exact {
	id, changed := identify(fi)
	s := Stamp{Size: fi.Size(), ModTime: nanoseconds(fi.ModTime()), Inode: id.Inode}
	return Exact{Stamp: s, ChangeTime: changed, Dev: id.Dev, Mode: fi.Mode()}
}

// Newest returns the later one of modification and change time.
func (e Exact) Newest() time.Time { return time.Unix(0, max(e.ModTime, e.ChangeTime)) }

// AppendTo appends e to b in a form that differs where e does.
func (e Exact) AppendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Size))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.ModTime))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.ChangeTime))
	b = binary.LittleEndian.AppendUint64(b, e.Dev)
	b = binary.LittleEndian.AppendUint64(b, e.Inode)
	return binary.LittleEndian.AppendUint32(b, uint32(e.Mode))
}
