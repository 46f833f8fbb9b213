package httpapi

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// stepBytes must get through in writeTimeout: a reader slower than that, 17 KB/s,
// is cut, and a large archive on a slow line is not.
const stepBytes = 1 << 20

// response is the ResponseWriter of the whole chain. It notes what was answered,
// and extends the server's write deadline as the answer makes progress. Like
// net/http's own it is a ReaderFrom, a Flusher and a Hijacker: wrappers of
// middleware keep the way to sendfile open only for a writer that is all three.
type response struct {
	http.ResponseWriter
	request *http.Request
	status  int   // 0 until the answer has begun
	bytes   int64 // of the body
	err     error // the first that kept the body from being sent
	left    int64 // until the deadline is extended
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) Flush() {
	w.begin(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush() // only recorders of tests can't
}

func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *response) begin(code int) {
	if w.status == 0 {
		w.status = code
	}
}

func (w *response) WriteHeader(code int) {
	if code >= 200 { // the others announce one
		w.begin(code)
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *response) Write(p []byte) (n int, err error) {
	w.begin(http.StatusOK)
	if c := connOf(w.request.Context()); c != nil && w.bytes == 0 && len(p) > httpBuffer {
		c.joins = true
		defer func() { c.joins = false }() // where net/http wrote nothing
	}
	for {
		part := p[n:min(len(p), n+int(w.left))]
		m, err := w.ResponseWriter.Write(part)
		n += m
		w.sent(int64(m), err)
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom is what io.Copy calls. net/http's own sends a part of a file with
// sendfile and net.Buffers with writev; it knows both by their type. Buffers go
// out as one step: who has more than stepBytes of them calls more than once.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	to, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	switch src := src.(type) {
	case *io.LimitedReader:
		return w.readPart(to, src)
	case *net.Buffers:
		w.begin(http.StatusOK)
		n, err = to.ReadFrom(src)
		w.sent(n, err)
		return n, err
	}
	return io.Copy(struct{ io.Writer }{w}, src)
}

func (w *response) readPart(to io.ReaderFrom, part *io.LimitedReader) (n int64, err error) {
	w.begin(http.StatusOK)
	for part.N > 0 {
		step := &io.LimitedReader{R: part.R, N: min(part.N, w.left)}
		want := step.N
		m, err := to.ReadFrom(step)
		n += m
		part.N -= m
		w.sent(m, err)
		if err == nil && m < want && w.announced() > w.bytes {
			w.err = io.ErrUnexpectedEOF
		}
		if err != nil || m < want {
			return n, err
		}
	}
	return n, nil
}

// announced is the answer's Content-Length, 0 without one.
func (w *response) announced() int64 {
	n, _ := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	return n
}

// sent notes that n more bytes went out, and what kept others from it.
func (w *response) sent(n int64, err error) {
	if w.err == nil {
		w.err = err
	}
	w.bytes += n
	if w.left -= n; w.left > 0 {
		return
	}
	w.left = stepBytes
	if s, ok := w.request.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(s.WriteTimeout)) // fails when it is closed
	}
}
