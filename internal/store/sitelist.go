package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	siteName = ".pages"
	siteHead = "chartserve pages 1\n"
	siteEnd  = "end " // the key of a Site that was finished is behind it
	maxSite  = 1 << 30
)

// siteList is what the list of a Site says.
type siteList struct {
	key   string // of the Site, if it was finished
	files map[string]sitePage
}

// sitePage is what the list says of a file.
type sitePage struct {
	key, digest   string
	size, modTime int64    // of the file when it was written
	earlier       []string // digests that it had before, since a Site was finished
}

// is reports whether fi describes the file as it was written.
func (p sitePage) is(fi fs.FileInfo) bool {
	return p.digest != "" && fi.Size() == p.size && fi.ModTime().UnixNano() == p.modTime
}

// wrote reports whether a Site gave the file the content with that digest.
func (p sitePage) wrote(digest string) bool {
	return digest == p.digest || slices.Contains(p.earlier, digest)
}

func (p sitePage) line(name string) string {
	return fmt.Sprintf("%s %s %d %d %s\n", p.digest, p.key, p.size, p.modTime, name)
}

// parseLine reads a line; false: it is no whole one.
func parseLine(line string) (name string, p sitePage, ok bool) {
	f := strings.SplitN(line, " ", 5)
	if len(f) < 5 || len(f[0]) != 64 || !fs.ValidPath(f[4]) {
		return "", p, false
	}
	var err, err2 error
	p.digest, p.key = f[0], f[1]
	p.size, err = strconv.ParseInt(f[2], 10, 64)
	p.modTime, err2 = strconv.ParseInt(f[3], 10, 64)
	return f[4], p, err == nil && err2 == nil
}

// readSite reads the list. A file that a killed process has left with half a line is read but
// for that.
func (s *Store) readSite() (l siteList, err error) {
	l.files = map[string]sitePage{}
	data, err := s.ReadFile(siteName, maxSite)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return l, nil
	}
	rest, ours := bytes.CutPrefix(data, []byte(siteHead))
	if err == nil && !ours && !strings.HasPrefix(siteHead, string(data)) {
		err = errors.New("no list of chartserve's pages (move it away)")
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w", path.Join(s.name, siteName), err)
	}
	for line := range strings.Lines(string(rest)) {
		line, whole := strings.CutSuffix(line, "\n")
		if key, end := strings.CutPrefix(line, siteEnd); end && whole {
			l.key = key
			continue
		}
		l.key = ""
		if name, p, ok := parseLine(line); ok && whole {
			if old, there := l.files[name]; there {
				p.earlier = append(old.earlier, old.digest)
			}
			l.files[name] = p
		}
	}
	return l, nil
}

// writeSite replaces the list, unless it says the same.
func (s *Store) writeSite(l siteList) error {
	var b bytes.Buffer
	b.WriteString(siteHead)
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		b.WriteString(l.files[name].line(name))
	}
	b.WriteString(siteEnd + l.key + "\n")
	if old, err := s.ReadFile(siteName, maxSite); err == nil && bytes.Equal(old, b.Bytes()) {
		return nil
	}
	_, err := s.WriteFile(siteName, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
	return err
}

// appendSite opens the list to append to it, behind a whole line.
func (s *Store) appendSite() (*os.File, error) {
	f, err := s.disk.OpenFile(siteName, os.O_WRONLY|os.O_APPEND)
	head := "\n"
	if errors.Is(err, fs.ErrNotExist) {
		head = siteHead
		f, err = s.disk.Create(siteName)
	} else if err == nil {
		var fi fs.FileInfo
		if fi, err = f.Stat(); err == nil && fi.Size() < int64(len(siteHead)) {
			head, err = siteHead, f.Truncate(0)
		}
	}
	if err == nil {
		_, err = io.WriteString(s.disk.Writer(f), head)
	}
	if err != nil && f != nil {
		_ = f.Close() // nothing was written to it
	}
	return f, err
}

// setPages has List pass over pages, which a server makes itself for who may see what they say,
// and over their directories: a repository of 10,000 versions has more of them than should be
// watched.
func (s *Store) setPages(files map[string]sitePage) {
	s.pages = map[string]bool{}
	for name := range files {
		if dir := path.Dir(name); dir != "." {
			s.pages[dir] = true
		} else {
			s.pages[name] = true
		}
	}
}
