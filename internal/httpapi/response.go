package httpapi

import (
	"io"
	"net/http"
	"time"
)

const (
	// stepBytes must get through in stepTime: a reader slower than that, 17 KB/s, is
	// cut, and a large archive on a slow line is not.
	stepBytes = 1 << 20
	stepTime  = 60 * time.Second
)

// response extends the server's write deadline as the answer makes progress. It
// keeps the way open for sendfile, and remembers whether anything was sent.
type response struct {
	http.ResponseWriter
	begun bool
	left  int64 // until the deadline is extended
}

func newResponse(w http.ResponseWriter) *response {
	return &response{ResponseWriter: w, left: stepBytes}
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(code int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(code)
}

func (w *response) Write(p []byte) (n int, err error) {
	w.begun = true
	for {
		part := p[n:min(len(p), n+int(w.left))]
		m, err := w.ResponseWriter.Write(part)
		n += m
		w.sent(int64(m))
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom is what io.Copy calls. net/http's own sends a part of a file, which it
// knows by its type, with sendfile.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	to, fast := w.ResponseWriter.(io.ReaderFrom)
	part, ok := src.(*io.LimitedReader)
	if !fast || !ok {
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	w.begun = true
	for part.N > 0 {
		step := &io.LimitedReader{R: part.R, N: min(part.N, w.left)}
		want := step.N
		m, err := to.ReadFrom(step)
		n += m
		part.N -= m
		w.sent(m)
		if err != nil || m < want {
			return n, err
		}
	}
	return n, nil
}

func (w *response) sent(n int64) {
	if w.left -= n; w.left > 0 {
		return
	}
	w.left = stepBytes
	// Only test recorders have no deadline to set.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(stepTime))
}
