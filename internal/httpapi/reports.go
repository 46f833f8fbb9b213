package httpapi

import (
	"bytes"
	"context"
	"log/slog"
)

// reports logs what net/http reports, which it does as text.
type reports struct{ log *slog.Logger }

// Write logs a report. Handshakes fail whenever somebody scans ports, looks whether one is
// open, or does not trust the certificate: the first two are most of them.
func (r reports) Write(p []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.HasPrefix(p, []byte("http: TLS handshake error")) {
		level = slog.LevelDebug
	}
	r.log.Log(context.Background(), level, string(bytes.TrimSpace(p)))
	return len(p), nil
}
