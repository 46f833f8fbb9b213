package main

import (
	"strings"
	"testing"
	"time"
)

// Who reads no answer keeps no scrape for ever.
func TestBesideServerIsBounded(t *testing.T) {
	s := besideServer(nil)
	for name, d := range map[string]time.Duration{"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if d <= 0 || d > 2*time.Minute {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestDebugAddress: profiles are on a loopback address or not at all.
func TestDebugAddress(t *testing.T) {
	for address, allowed := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, ":0": false, "0.0.0.0:0": false, "[::]:0": false} {
		d, err := listenDebug(t.Context(), address)
		if d != nil {
			d.Close()
		}
		if (err == nil) != allowed {
			t.Errorf("%s: error %v, allowed: %v", address, err, allowed)
		}
		if err != nil && !strings.Contains(err.Error(), "localhost") {
			t.Errorf("%s: %v does not say what to write", address, err)
		}
	}
}
