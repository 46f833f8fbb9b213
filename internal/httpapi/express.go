package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"chartserve/internal/index"
	"chartserve/internal/repo"
)

// answer makes the answer to q: its head in c.out, and its body. ok is false when
// that is for net/http. The headers are those of send and of api.file.
func (c *laneConn) answer(q plainRequest, s *repo.Snapshot) (body [][]byte, ok bool) {
	a := c.lane.api
	path := string(q.path)
	if index, kind := a.plainIndex(path, s); index != nil {
		return c.answerIndex(q, index, kind)
	}
	f, ok := lookup(s, names(a.context, path))
	// No other file takes part: its name may be that of a page.
	if !ok || f.Size > smallFile || !f.Archive && !strings.HasSuffix(f.Name, ".tgz.prov") {
		return nil, false
	}
	notModified, ok := q.matches(f.ETag)
	if !ok {
		return nil, false
	}
	data, err := a.small.data(s, f)
	if err != nil {
		return nil, false // net/http's handler waits for the next Snapshot
	}
	c.headFile(f, len(data), notModified)
	if notModified {
		return nil, true
	}
	return append(c.one[:0], data), true
}

// plainIndex finds the form of the index that path means; nil: none.
func (a *api) plainIndex(path string, s *repo.Snapshot) (body *index.Body, kind string) {
	if s.Index == nil {
		return nil, ""
	}
	name, below := strings.CutPrefix(path, a.context+"/")
	if !below {
		name = path[1:]
	}
	switch name {
	case "index.yaml":
		return &s.Index.YAML, yamlType
	case "index.json":
		return &s.Index.JSON, jsonType
	}
	return nil, ""
}

// matches tells whether the request has etag already. ok is false when it names
// others than that one.
func (q plainRequest) matches(etag string) (notModified, ok bool) {
	if q.ifNoneMatch == nil {
		return false, true
	}
	same := string(q.ifNoneMatch) == etag
	return same, same
}

func (c *laneConn) answerIndex(q plainRequest, b *index.Body, kind string) (body [][]byte, ok bool) {
	data, etag, encoding := b.Data, b.ETag, ""
	if b.Gzip.Len() > 0 && acceptsGzip([]string{string(q.acceptEncoding)}) {
		data, etag, encoding = b.Gzip, b.GzipETag, "gzip"
	}
	notModified, ok := q.matches(etag)
	if !ok {
		return nil, false
	}
	if notModified {
		c.head(http.StatusNotModified)
	} else {
		c.head(http.StatusOK)
		c.field("Content-Type", kind)
		c.field("Content-Security-Policy", barePolicy)
		c.field("X-Content-Type-Options", "nosniff")
		c.length(data.Len())
		if encoding != "" {
			c.field("Content-Encoding", encoding)
		}
		body = data.Parts()
	}
	c.field("Etag", etag)
	c.field("Cache-Control", "no-cache")
	c.field("Vary", "Accept-Encoding")
	c.endHead()
	return body, true
}

func (c *laneConn) headFile(f *repo.File, size int, notModified bool) {
	if notModified {
		c.head(http.StatusNotModified)
	} else {
		c.head(http.StatusOK)
		c.field("Content-Type", contentType(f))
		c.length(size)
		c.field("Accept-Ranges", "bytes")
		if t := lastModified(f.ModTime); !t.IsZero() {
			c.out = append(c.out, "Last-Modified: "...)
			c.out = t.UTC().AppendFormat(c.out, http.TimeFormat)
			c.out = append(c.out, "\r\n"...)
		}
	}
	c.field("Etag", f.ETag)
	c.field("Cache-Control", cacheControl(f))
	c.field("Content-Security-Policy", filePolicy)
	c.field("X-Content-Type-Options", "nosniff")
	c.endHead()
}

// head begins an answer: with the status line and the date.
func (c *laneConn) head(code int) {
	c.out = append(c.out[:0], "HTTP/1.1 "...)
	c.out = strconv.AppendInt(c.out, int64(code), 10)
	c.out = append(c.out, ' ')
	c.out = append(c.out, http.StatusText(code)...)
	c.out = append(c.out, "\r\n"...)
	c.field("Date", c.lane.date.now())
}

func (c *laneConn) field(name, value string) {
	c.out = append(c.out, name...)
	c.out = append(c.out, ": "...)
	c.out = append(c.out, value...)
	c.out = append(c.out, "\r\n"...)
}

func (c *laneConn) length(n int) {
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(n), 10)
	c.out = append(c.out, "\r\n"...)
}

func (c *laneConn) endHead() { c.out = append(c.out, "\r\n"...) }

// date is the Date header, which changes once a second.
type date struct{ last atomic.Pointer[dated] }

type dated struct {
	second int64
	text   string
}

func (d *date) now() string {
	t := time.Now()
	if last := d.last.Load(); last != nil && last.second == t.Unix() {
		return last.text
	}
	next := &dated{t.Unix(), t.UTC().Format(http.TimeFormat)}
	d.last.Store(next)
	return next.text
}
