package remote

import (
	"net/http"
	"sync/atomic"
)

// transport counts requests, and names us where nobody did.
type transport struct {
	base      http.RoundTripper
	userAgent string
	made      *atomic.Int64
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.made.Add(1)
	if req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", t.userAgent)
	}
	return t.base.RoundTrip(req)
}

// CloseIdleConnections is what http.Client passes on.
func (t *transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}
