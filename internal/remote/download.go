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

// progressing is the number of new bytes that make up for a try that failed.
const progressing = 256 << 10

// sink takes a download. Its errors are not the network's: they have *fs.PathError.
type sink interface {
	io.Writer
	// restart empties it for a download of so many bytes, -1: of unknown length.
	restart(announced int64) error
}

type fileSink struct{ *os.File }

func (f fileSink) restart(int64) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.Truncate(0)
}

// trusted is how much memory is set aside for a download that was only announced.
const trusted = 1 << 20

// memorySink grows at once to what is announced when a part of that has come: a
// buffer that doubles needs three times the download at its last step.
type memorySink struct {
	bytes.Buffer
	announced int64
}

func (m *memorySink) restart(announced int64) error {
	m.Reset()
	m.announced = announced
	m.Grow(int(min(max(announced, 0), trusted)))
	return nil
}

func (m *memorySink) Write(p []byte) (int, error) {
	if rest := m.announced - int64(m.Len()); m.Len() >= trusted && rest > int64(m.Available()) {
		m.Grow(int(rest))
	}
	return m.Buffer.Write(p)
}

// download is one file on its way.
type download struct {
	request
	to        sink
	hash      hash.Hash
	size      int64 // written
	reached   int64 // the largest size so far
	total     int64 // as announced, -1: it was not
	etag      string
	unchanged bool        // the server still has what request.known stands for: nothing was written
	header    http.Header // of the last answer
}

func (d *download) digest() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// download asks for r, more than once where that may help, and writes what comes
// into to, in place of what it holds.
func (c *Client) download(ctx context.Context, r request, to sink) (*download, error) {
	if r.progress == nil {
		r.progress = func(int64) {}
	}
	d := &download{request: r, to: to, hash: sha256.New()}
	if err := d.restart(-1); err != nil {
		return nil, err
	}
	err := c.retry(ctx, r, func() (bool, error) {
		before := d.reached
		err := c.goOn(ctx, d)
		d.reached = max(d.reached, d.size)
		return d.reached >= before+progressing, err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// read is download into memory.
func (c *Client) read(ctx context.Context, r request) ([]byte, *download, error) {
	var m memorySink
	d, err := c.download(ctx, r, &m)
	return m.Bytes(), d, err
}

// goOn makes one request for what is missing, or for all of it.
func (c *Client) goOn(ctx context.Context, d *download) error {
	r := d.request
	if d.ifRange != "" || d.immutable {
		r.from = d.size
	}
	if r.from > 0 {
		r.known = Validators{}
	}
	err := c.exchange(ctx, r, func(resp *http.Response, body io.Reader) error {
		d.header = resp.Header
		if d.unchanged = resp.StatusCode == http.StatusNotModified; d.unchanged {
			return nil
		}
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
		if failed := d.restart(-1); failed != nil {
			return failed
		}
	}
	return err
}

// restart forgets what came.
func (d *download) restart(announced int64) error {
	if d.size > 0 {
		d.progress(-d.size)
	}
	d.size, d.total, d.etag, d.ifRange = 0, announced, "", ""
	d.hash.Reset()
	return d.to.restart(announced)
}

// begin looks at the head of an answer: it goes on, or is a new beginning.
func (d *download) begin(resp *http.Response) error {
	if resp.ContentLength > d.limit {
		return tooLarge(d.limit)
	}
	etag := resp.Header.Get("ETag")
	if resp.StatusCode != http.StatusPartialContent {
		if err := d.restart(resp.ContentLength); err != nil {
			return err
		}
		if d.etag = etag; !resp.Uncompressed { // else ranges would count other bytes
			d.ifRange = resumable(resp.Header)
		}
		return nil
	}
	from, total, ok := contentRange(resp.Header.Get("Content-Range"))
	// Not every server compares If-Range.
	if !ok || from != d.size || (etag != d.etag && !d.immutable) || (d.total >= 0 && total >= 0 && total != d.total) {
		return errChanged
	}
	if d.total = max(d.total, total); d.total > d.limit {
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
