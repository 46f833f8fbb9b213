package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return nil }

// Who stops in the midst of a request, reads no answer or has nothing more to ask is let go.
func TestBesideServerIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		reads   bool
	}{
		"header": {"GET / HTTP/1.1\r\n", true},
		"body":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", true},
		"answer": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
		"idle":   {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, begun := make(pipes), time.Now()
				client, server := net.Pipe()
				ctx, cancel := context.WithCancel(t.Context())
				served, answered := make(chan error), make(chan struct{}, 1)
				go func() {
					served <- serveBeside(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						_, _ = w.Write(make([]byte, 1<<20))
						answered <- struct{}{}
					}))
				}()
				l <- server
				_, _ = io.WriteString(client, tt.request)
				if tt.reads {
					_, _ = io.Copy(io.Discard, client)
				} else {
					<-answered
				}
				if took := time.Since(begun); took > 2*time.Minute {
					t.Errorf("after %s", took)
				}
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
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
