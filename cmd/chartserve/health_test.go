package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"unicode"
)

// answering listens on loopback, and sends answer to whoever connects; hangs keeps the
// connection open after that.
func answering(t testing.TB, answer []byte, hangs bool) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1<<10))
				_, _ = c.Write(answer) // who has gone away needs none
				for hangs {
					if _, err := c.Read(make([]byte, 1<<10)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// What other servers answer, and ours when it is not ready.
func TestHealthAnswers(t *testing.T) {
	page := "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
	for name, c := range map[string]struct {
		answer string
		hangs  bool
		args   []string
		code   int
		want   string
	}{
		"alive":        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", false, nil, 0, ": ok\n"},
		"ready":        {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n", false, []string{"--ready"}, 0, ": ready\n"},
		"not ready":    {"HTTP/1.1 503 Service Unavailable\r\n\r\nthe first index is not complete\n", false, []string{"--ready"}, 1, "answers /readyz with 503: the first index is not complete"},
		"another":      {page, false, nil, 1, "as no chartserve does"},
		"no such page": {"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", false, nil, 1, "as no chartserve does"},
		"alive alone":  {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", false, []string{"--ready"}, 1, "as no chartserve does"},
		"a redirect":   {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", false, nil, 1, "answers /healthz with 302"},
		"no HTTP":      {"SSH-2.0-OpenSSH_9.2\r\n", false, nil, 1, "malformed HTTP response"},
		"colours":      {"HTTP/1.1 500 Oh\r\n\r\n\x1b[2Jone\ntwo\x00", false, nil, 1, "with 500: ?[2Jone; two?\n"},
		"no end":       {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1<<20), true, nil, 1, "as no chartserve does"},
		"large head":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), true, nil, 1, "server response headers exceeded"},
		"nothing":      {"", true, []string{"--timeout", "50ms"}, 1, "did not answer /healthz within 50ms"},
		"half":         {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\no", true, []string{"--timeout", "50ms"}, 1, "did not answer /healthz within 50ms"},
		"cut off":      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\no", false, nil, 1, "unexpected EOF"},
		"no TLS":       {page, false, []string{"--tls-cert", "x"}, 1, "is --tls-cert given to both or to none"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := call(t, append([]string{"health", "--address", answering(t, []byte(c.answer), c.hangs)}, c.args...)...)
			if got := out + errs; code != c.code || !strings.Contains(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("got %d, %q, want %d and one line with %q", code, got, c.code, c.want)
			}
		})
	}
}

// FuzzHealth: whatever is answered, one line comes of it, in time, and 0 only for ours.
func FuzzHealth(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 503 No\r\n\r\n\x1b\r\n\xff"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var out, errs bytes.Buffer
		code := run(context.Background(), []string{"health", "--timeout", "2s", "--address", answering(t, answer, false)}, &out, &errs)
		text := out.String() + errs.String()
		if line := strings.TrimSuffix(text, "\n"); line == text || strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("no line: %q", text)
		}
		if code == exitOK != (out.Len() > 0) || code == exitOK && !bytes.Contains(answer, []byte("200")) || code == exitUsage {
			t.Errorf("got %d, %q for %q", code, text, answer)
		}
	})
}
