package httpapi

import (
	"net/http"
	"time"
)

// stream is the ResponseWriter of a request over HTTP/2, many of which share a connection.
// net/http gives an answer its WriteTimeout as a whole; stream extends that as the client
// takes the answer, as conn does.
type stream struct {
	http.ResponseWriter
	timeout time.Duration // for each stepBytes of the answer
	left    int64         // bytes until the deadline is extended
}

// Unwrap is for http.ResponseController.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stream) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = s.ResponseWriter.Write(p[n:min(len(p), n+int(s.left))])
		n += m
		if s.left -= int64(m); s.left <= 0 {
			s.left = stepBytes
			_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(time.Now().Add(s.timeout)) // fails when it is closed
		}
	}
	return n, err
}
