package httpapi

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"chartserve/internal/repo"
)

const (
	// maxBody is far more than any request needs that uploads nothing.
	maxBody = 64 << 10
	// uploadTimeout is for each uploadStep of an upload: a client slower than that,
	// 4 KB/s, is cut, and a large archive on a slow line is not.
	uploadTimeout = time.Minute
	uploadStep    = 256 << 10
)

// limitBody refuses large bodies before they are read, and has those that don't announce
// their size end with an *http.MaxBytesError.
func limitBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return errTooLarge
	}
	if r.ContentLength != 0 {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	return nil
}

// body is the body of an upload. It has the connection's deadline for reading follow the
// client's progress, and remembers why it could not be read.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration // for each step
	step    int64         // in bytes
	left    int64         // of the step
	err     error
}

// newBody takes over the body of r. The answer has as long as the upload takes.
func newBody(w http.ResponseWriter, r *http.Request) *body {
	b := &body{ReadCloser: r.Body, control: http.NewResponseController(w), timeout: uploadTimeout, step: uploadStep}
	_ = b.control.SetWriteDeadline(time.Time{}) // only recorders of tests have none
	b.extend(time.Now().Add(b.timeout))
	r.Body = b
	return b
}

func (b *body) extend(deadline time.Time) {
	b.left = b.step
	_ = b.control.SetReadDeadline(deadline)
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch b.left -= int64(n); {
	case err == io.EOF:
		b.extend(time.Time{}) // a timeout would end the request's context
	case err != nil:
		b.note(err)
	case b.left <= 0:
		b.extend(time.Now().Add(b.timeout))
	}
	return n, err
}

// note remembers why the body could not be read.
func (b *body) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// drain reads the rest of an upload that is refused. Some clients, curl among them, look
// for the answer only once they have sent everything, and miss it where the connection,
// or the stream of HTTP/2, ends before that.
func (b *body) drain() { _, _ = io.Copy(io.Discard, b) }

// end ends an upload that came to err, and returns what the client is told: that the body
// could not be read, where that is why.
func (b *body) end(err error) error {
	cut := b.failure()
	if err != nil && cut == nil && !errors.Is(err, repo.ErrStopped) {
		b.drain()
	}
	b.done()
	if err != nil && cut != nil {
		return cut
	}
	return err
}

// done gives the client some time to take the answer.
func (b *body) done() { _ = b.control.SetWriteDeadline(time.Now().Add(writeTimeout)) }

// failure is what a client is told about a body that could not be read; nil: it could be.
func (b *body) failure() error {
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case b.err == nil:
		return nil
	case errors.As(b.err, &large):
		return errTooLarge
	case errors.As(b.err, &slow) && slow.Timeout():
		return refuseOCI(http.StatusRequestTimeout, "BLOB_UPLOAD_INVALID", "the upload came too slowly")
	}
	return refuseOCI(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the upload was cut off: %v", b.err)
}
