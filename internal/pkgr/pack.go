package pkgr

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// gzipLevel is what Helm uses, too. See TestGolden before changing it.
const gzipLevel = 6

// Packer writes archives. It keeps compressors and buffers for reuse, and is safe
// for concurrent use.
type Packer struct {
	writers sync.Pool
}

// NewPacker returns a Packer that stamps all members with timestamp, which is cut
// to whole seconds; zero is 1980-01-01T00:00:00Z.
func NewPacker(timestamp time.Time) *Packer {
	if timestamp.IsZero() {
		timestamp = epoch()
	}
	timestamp = timestamp.UTC().Truncate(time.Second)
	return &Packer{writers: sync.Pool{New: func() any { return newArchiveWriter(timestamp) }}}
}

// Pack writes c as an archive to w, in the layout of `helm package`: members
// below NAME/, mode 0644, no owner, no directories, sub-charts unpacked under
// charts/. It returns the archive's SHA-256 in 64 hex digits.
// The same content gives the same bytes, everywhere and always; see Layout.
func (p *Packer) Pack(w io.Writer, c *Chart) (digest string, err error) {
	if c.Metadata == nil {
		return "", errors.New("pack: a chart without metadata")
	}
	a := p.writers.Get().(*archiveWriter)
	defer p.writers.Put(a)
	defer a.release()
	a.reset(w)
	if err := a.chart(c.Metadata.Name+"/", c, 0); err != nil {
		return "", err
	}
	if err := a.finish(); err != nil {
		return "", err
	}
	return hex.EncodeToString(a.hash.Sum(nil)), nil
}

// epoch is the timestamp of members where none is given. Helm 3 takes the current
// time; 1970, as reproducible builds have it, makes GNU tar complain of an
// "implausibly old time stamp".
func epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// archiveWriter is a tar writer in a gzip writer in a buffer.
type archiveWriter struct {
	mtime time.Time
	tar   *tar.Writer
	gz    *gzip.Writer
	buf   *bufio.Writer // the compressor writes a few hundred bytes at a time
	hash  hash.Hash
}

func newArchiveWriter(timestamp time.Time) *archiveWriter {
	// The level is valid, so there is no error.
	gz, _ := gzip.NewWriterLevel(nil, gzipLevel)
	return &archiveWriter{mtime: timestamp, gz: gz, buf: bufio.NewWriterSize(nil, 64<<10), hash: sha256.New()}
}

func (a *archiveWriter) reset(w io.Writer) {
	a.hash.Reset()
	a.buf.Reset(io.MultiWriter(w, a.hash))
	a.gz.Reset(a.buf)
	// The zero time.Time would be written as a time in 2042; this means none.
	a.gz.ModTime = time.Unix(0, 0)
	a.tar = tar.NewWriter(a.gz)
}

// release lets go of what the caller passed in.
func (a *archiveWriter) release() { a.buf.Reset(nil) }

// chart writes c below dir, which is empty or ends in a slash.
func (a *archiveWriter) chart(dir string, c *Chart, depth int) error {
	if depth > maxDepth {
		return errTooDeep(dir)
	}
	for _, f := range c.Files {
		// With these fields alone archive/tar writes a plain ustar header, and PAX where
		// the name or the size needs it.
		h := tar.Header{Name: dir + f.Name, Mode: 0o644, Size: int64(len(f.Data)), ModTime: a.mtime}
		if err := a.tar.WriteHeader(&h); err != nil {
			return err
		}
		if _, err := a.tar.Write(f.Data); err != nil {
			return err
		}
	}
	subs := c.WithSubcharts(c.Subcharts).Subcharts
	for i, name := range subDirs(subs) {
		if err := a.chart(dir+"charts/"+name+"/", subs[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (a *archiveWriter) finish() error {
	if err := a.tar.Close(); err != nil {
		return err
	}
	if err := a.gz.Close(); err != nil {
		return err
	}
	return a.buf.Flush()
}

// subDirs returns the directory in charts/ of each of subs, which are in order. It
// is the chart's name, as with Helm. Of several versions of one chart, which
// aliases allow, Helm writes all into one directory and so loses all but one;
// here the later ones have their version in the name, as Helm reads any name. A
// name that it would not read is spelled otherwise, too.
func subDirs(subs []*Chart) []string {
	taken := make(map[string]bool, len(subs))
	dirs := make([]string, len(subs))
	for i, s := range subs {
		md := s.Metadata
		dir := md.Name
		if taken[dir] || !validDir(dir) {
			dir = md.Name + "-" + md.Version
		}
		if !validDir(dir) {
			dir = "chart-" + dir
		}
		for n, base := 2, dir; taken[dir]; n++ {
			dir = base + "-" + strconv.Itoa(n)
		}
		taken[dir] = true
		dirs[i] = dir
	}
	return dirs
}

// validDir reports whether Helm loads a chart from charts/NAME.
func validDir(name string) bool {
	return name != "" && name[0] != '_' && name[0] != '.' && !strings.HasSuffix(name, ".tgz")
}
