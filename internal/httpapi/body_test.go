package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An upload that makes progress takes as long as it takes; one that dribbles is cut.
func TestSlowUpload(t *testing.T) {
	const timeout = 300 * time.Millisecond
	got := make(chan string, 1)
	addr := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := newBody(w, r)
		b.timeout, b.step = timeout, 1000
		b.extend(time.Now().Add(timeout))
		n, _ := io.Copy(io.Discard, b)
		got <- fmt.Sprint(n, " ", b.failure())
		b.done()
	}))
	for name, tt := range map[string]struct {
		pieces int
		every  time.Duration
		want   string
	}{
		"steadily": {20, 50 * time.Millisecond, "20000 <nil>"},
		"dribbles": {1, 2 * timeout, "the upload came too slowly"},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
			for range tt.pieces {
				io.WriteString(c, strings.Repeat("x", 1000))
				time.Sleep(tt.every)
			}
			if got := <-got; !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
