package remote

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
)

// maxAnswered bounds the hosts that are remembered.
const maxAnswered = 1000

// transport counts requests, names us where nobody did, and marks the failure of a
// host that has answered before: it may be starting again.
type transport struct {
	base      http.RoundTripper
	userAgent string
	made      *atomic.Int64

	mu       sync.Mutex
	answered map[string]bool // hosts with their ports
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.made.Add(1)
	if req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", t.userAgent)
	}
	resp, err := t.base.RoundTrip(req)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil && len(t.answered) < maxAnswered:
		t.answered[req.URL.Host] = true
	case err != nil && t.answered[req.URL.Host]:
		err = fmt.Errorf("%w: %w", errLost, err)
	}
	return resp, err
}

// CloseIdleConnections is called by the http.Client of the same method.
func (t *transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}
