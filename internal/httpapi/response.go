package httpapi

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// response is the ResponseWriter of the whole chain. It notes what was answered. Like
// net/http's own it is a ReaderFrom, a Flusher and a Hijacker: wrappers of middleware
// keep the way to sendfile open only for a writer that is all three.
type response struct {
	http.ResponseWriter
	request *http.Request
	start   time.Time
	id      [1]string // of the request, as a header has it
	user    string    // who made it; empty: nobody knows
	// repository is the name of the one that it is for; empty: the root one.
	repository string
	status     int   // 0 until the answer has begun
	bytes      int64 // of the body
	err        error // the first that kept the body from being sent
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

func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	if c := connOf(w.request.Context()); c != nil && w.bytes == 0 && len(p) > httpBuffer {
		c.joins = true
		defer func() { c.joins = false }() // where net/http wrote nothing
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent(int64(n), err)
	return n, err
}

// ReadFrom is what io.Copy calls. net/http's own hands what it reads from to conn.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	to, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	w.begin(http.StatusOK)
	n, err := to.ReadFrom(src)
	w.sent(n, err)
	return n, err
}

// sent notes that n more bytes went out, and what kept others from it.
func (w *response) sent(n int64, err error) {
	if w.err == nil {
		w.err = err
	}
	w.bytes += n
}

// failure is what kept a part of the answer from being sent; nil: all of it was.
func (w *response) failure() error {
	announced, _ := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	if w.err == nil && w.bytes < announced && w.request.Method != http.MethodHead {
		return io.ErrUnexpectedEOF // a file was shorter than it had been
	}
	return w.err
}
