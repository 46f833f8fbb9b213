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
)

// progressing is how many new bytes make a try that failed a good one all the same.
const progressing = 256 << 10

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
