package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// progressing is how many new bytes make a try that failed a good one all the same.
const progressing = 256 << 10

// Save writes the file at ref, an entry's URL in the repository, into f: from its
// start, in place of what it had, with at most limit bytes. It gives the size and
// the SHA-256, in hex, of what was written. ref is an address by itself when the
// repository is empty.
//
// Memory stays the same whatever the size. Where a connection was cut, the next
// try goes on from there if the server has ranges and still has the same file,
// else it starts again; a try that brings new bytes doesn't count against
// Options.Retries. After an error f holds a part.
func (c *Client) Save(ctx context.Context, repository, ref string, f *os.File, limit int64) (size int64, digest string, err error) {
	to, err := target(repository, ref)
	if err != nil {
		return 0, "", err
	}
	return c.save(ctx, request{address: to, limit: limit, exact: true}, fileSink{f})
}

// Size is the length of the file at ref in bytes, by a HEAD request; -1 when the
// server doesn't tell. ref is as for Save.
func (c *Client) Size(ctx context.Context, repository, ref string) (int64, error) {
	to, err := target(repository, ref)
	if err != nil {
		return 0, err
	}
	size := int64(-1)
	r := request{address: to, method: http.MethodHead, exact: true}
	err = c.again(ctx, r, func() (bool, error) {
		return false, c.exchange(ctx, r, func(resp *http.Response, _ io.Reader) error {
			size = resp.ContentLength
			return nil
		})
	})
	var status *StatusError
	if errors.As(err, &status) && (status.Code == http.StatusMethodNotAllowed || status.Code == http.StatusNotImplemented) {
		return -1, nil
	}
	return size, err
}

// sink takes a download. Its errors are not the network's: they have *fs.PathError.
type sink interface {
	io.Writer
	restart() error // empties it
}

type fileSink struct{ *os.File }

func (f fileSink) restart() error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.Truncate(0)
}

type memorySink struct{ bytes.Buffer }

func (m *memorySink) restart() error {
	m.Reset()
	return nil
}

// download is one file on its way.
type download struct {
	request
	to       sink
	progress func(int64)
	hash     hash.Hash
	size     int64 // written
	reached  int64 // the largest size so far
	total    int64 // as announced, -1: it was not
	etag     string
}

// save downloads into an empty sink.
func (c *Client) save(ctx context.Context, r request, to sink) (int64, string, error) {
	d := &download{request: r, to: to, progress: c.opts.Progress, hash: sha256.New()}
	if err := d.restart(); err != nil {
		return 0, "", err
	}
	err := c.again(ctx, r, func() (bool, error) {
		before := d.reached
		err := c.goOn(ctx, d)
		d.reached = max(d.reached, d.size)
		return d.reached >= before+progressing, err
	})
	if err != nil {
		return d.size, "", err
	}
	return d.size, hex.EncodeToString(d.hash.Sum(nil)), nil
}

// goOn makes one request for what is missing, or for all of it.
func (c *Client) goOn(ctx context.Context, d *download) error {
	r := d.request
	if d.ifRange != "" || d.immutable {
		r.from = d.size
	}
	err := c.exchange(ctx, r, func(resp *http.Response, body io.Reader) error {
		if err := d.begin(resp); err != nil {
			return err
		}
		return d.copy(body)
	})
	var status *StatusError
	if r.from > 0 && errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable {
		err = errChanged // it has become shorter
	}
	if errors.Is(err, errChanged) {
		if failed := d.restart(); failed != nil {
			return failed
		}
	}
	return err
}

// restart forgets what came.
func (d *download) restart() error {
	if d.size > 0 {
		d.progress(-d.size)
	}
	d.size, d.total, d.etag, d.ifRange = 0, -1, "", ""
	d.hash.Reset()
	return d.to.restart()
}

// begin looks at the head of an answer: it goes on, or is a new beginning.
func (d *download) begin(resp *http.Response) error {
	etag := resp.Header.Get("ETag")
	if resp.StatusCode == http.StatusPartialContent {
		from, total, ok := contentRange(resp.Header.Get("Content-Range"))
		// Not every server compares If-Range.
		if !ok || from != d.size || (etag != d.etag && !d.immutable) || (d.total >= 0 && total >= 0 && total != d.total) {
			return errChanged
		}
		if d.total < 0 {
			d.total = total
		}
	} else {
		if err := d.restart(); err != nil {
			return err
		}
		d.total, d.etag, d.ifRange = resp.ContentLength, etag, resumable(resp.Header)
	}
	if d.total > d.limit {
		return tooLarge(d.limit)
	}
	return nil
}

// copy writes what comes, within the limit.
func (d *download) copy(body io.Reader) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := body.Read(buffer)
		if d.size+int64(n) > d.limit {
			return tooLarge(d.limit)
		}
		if n > 0 {
			if _, err := d.to.Write(buffer[:n]); err != nil {
				return err
			}
			d.hash.Write(buffer[:n])
			d.size += int64(n)
			d.progress(int64(n))
		}
		switch {
		case err == io.EOF && d.total >= 0 && d.size < d.total:
			return io.ErrUnexpectedEOF
		case err == io.EOF && d.total >= 0 && d.size > d.total:
			return errChanged
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// resumable is what If-Range may name, so that bytes of two states never meet in
// one file: a strong ETag, or a time that was a while ago when the answer was made
// (RFC 9110, sections 8.8.2.2 and 13.1.5). Empty: nothing.
func resumable(h http.Header) string {
	if etag := h.Get("ETag"); strings.HasPrefix(etag, `"`) {
		return etag
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil || h.Get("ETag") != "" {
		return ""
	}
	if date, err := http.ParseTime(h.Get("Date")); err != nil || date.Sub(modified) < time.Second {
		return ""
	}
	return h.Get("Last-Modified")
}

// contentRange reads "bytes 5-9/10" as 5 and 10; the total of "bytes 5-9/*" is -1.
func contentRange(header string) (from, total int64, ok bool) {
	span, ok := strings.CutPrefix(header, "bytes ")
	if !ok {
		return 0, 0, false
	}
	span, all, ok := strings.Cut(span, "/")
	first, last, dash := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := int64(-1), error(nil)
	if all != "*" {
		total, err3 = strconv.ParseInt(all, 10, 64)
	}
	if !ok || !dash || errors.Join(err1, err2, err3) != nil || from < 0 || to < from || all != "*" && total <= to {
		return 0, 0, false
	}
	return from, total, true
}
