package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serveTLS serves f over TLS, with HTTP/2, by the certificate of example.com.
func serveTLS(t testing.TB, f *fixture, set ...func(*Server)) (s *Server, addr string, client *tls.Config) {
	t.Helper()
	donor := httptest.NewUnstartedServer(nil)
	donor.StartTLS()
	config, roots := donor.TLS.Clone(), x509.NewCertPool()
	roots.AddCert(donor.Certificate())
	config.NextProtos = []string{"h2", "http/1.1"}
	donor.Close()
	s, addr = serveWith(t, f, func() *tls.Config { return config }, set...)
	return s, addr, &tls.Config{RootCAs: roots, ServerName: "example.com"}
}

// dialTLS is dial, shaken hands for one protocol.
func dialTLS(t *testing.T, addr string, config *tls.Config, protocol string) net.Conn {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{protocol}
	c := tls.Client(dial(t, addr), config)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if got := c.ConnectionState().NegotiatedProtocol; got != protocol {
		t.Fatalf("they speak %q, want %q", got, protocol)
	}
	return c
}

// secureClient speaks one of the protocols over TLS, with small windows, so that the
// server waits for who reads slowly.
func secureClient(t testing.TB, config *tls.Config, http2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: config.Clone(), Protocols: new(http.Protocols), DisableCompression: true,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}}
	tr.Protocols.SetHTTP1(!http2)
	tr.Protocols.SetHTTP2(http2)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// protocols are what clients speak over TLS.
func protocols() map[string]bool { return map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} }

// What is served over TLS is what is served without.
func TestTLSServesTheSame(t *testing.T) {
	for protocol, http2 := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			f := newFixture(t, Options{})
			v := f.snapshot(f.write("nova-1.0.0.tgz", "nova"), f.write("large-1.0.0.tgz", strings.Repeat("0123456789", 400_000)))
			v.Index.YAML.Data = inParts(strings.Repeat("y", 3*stepBytes+7))
			f.src.p.Store(v)
			_, addr, config := serveTLS(t, f)
			client := secureClient(t, config, http2)
			for path, want := range map[string]string{
				"/charts/nova-1.0.0.tgz":  "nova",
				"/charts/large-1.0.0.tgz": strings.Repeat("0123456789", 400_000),
				"/charts/index.yaml":      strings.Repeat("y", 3*stepBytes+7),
			} {
				resp, err := client.Get("https://" + addr + path)
				if err != nil {
					t.Fatal(err)
				}
				if got := text(t, resp); got != want || resp.Proto != protocol || resp.ContentLength != int64(len(want)) {
					t.Errorf("%s: %d bytes over %s, want %d", path, len(got), resp.Proto, len(want))
				}
			}
		})
	}
}

// Who takes a MiB of an answer within the timeout gets all of it; who takes nothing is cut,
// and neither is an error of the server's.
func TestSlowReadersOverTLS(t *testing.T) {
	const size = 6 * stepBytes
	for protocol, http2 := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			f.src.p.Store(f.snapshot(f.write("large-1.0.0.tgz", strings.Repeat("x", size))))
			_, addr, config := serveTLS(t, f, func(s *Server) { s.http.WriteTimeout = time.Second })
			client := secureClient(t, config, http2)
			resp, err := client.Get("https://" + addr + "/charts/large-1.0.0.tgz")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var n int64
			for start := time.Now(); err == nil; { // three seconds in all
				var m int64
				m, err = io.CopyN(io.Discard, resp.Body, size/30)
				n += m
				time.Sleep(time.Until(start.Add(time.Duration(n) * 3 * time.Second / size)))
			}
			if n != size || err != io.EOF {
				t.Errorf("a slow reader got %d bytes, %v", n, err)
			}
			stalled, err := client.Get("https://" + addr + "/charts/large-1.0.0.tgz")
			if err != nil {
				t.Fatal(err)
			}
			defer stalled.Body.Close()
			time.Sleep(2500 * time.Millisecond)
			if n, err := io.Copy(io.Discard, stalled.Body); n >= size || err == nil {
				t.Errorf("a stalled reader got %d bytes, %v", n, err)
			}
			if strings.Contains(f.log.String(), "level=ERROR") {
				t.Errorf("log: %s", f.log)
			}
		})
	}
}

// The bound on connections holds with TLS, and those that are idle make room.
func TestConnectionsOverTLS(t *testing.T) {
	f := newFixture(t, Options{})
	s, addr, config := serveTLS(t, f, func(s *Server) { s.limit.slots = make(chan struct{}, 1) })
	for range 3 {
		for protocol, http2 := range protocols() {
			resp, err := secureClient(t, config, http2).Get("https://" + addr + "/charts/nova-1.0.0.tgz")
			if err != nil {
				t.Fatalf("%s: %v", protocol, err)
			}
			if got := text(t, resp); got != "nova 1.0.0" {
				t.Errorf("%s: got %q", protocol, got)
			}
		}
	}
	for deadline := time.Now().Add(10 * time.Second); s.Connections() > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open of 1", s.Connections())
		}
	}
}

// A client that does not shake hands is given up in time.
func TestHandshakeBounds(t *testing.T) {
	f := newFixture(t, Options{})
	s, addr, _ := serveTLS(t, f, func(s *Server) { s.http.ReadHeaderTimeout = 100 * time.Millisecond })
	c := dial(t, addr)
	if n, err := io.Copy(io.Discard, c); n != 0 || err != nil {
		t.Errorf("it got %d bytes, %v, want that it ends", n, err)
	}
	for s.Connections() > 0 {
		time.Sleep(time.Millisecond)
	}
	if got := f.log.String(); strings.Contains(got, "level=WARN") {
		t.Errorf("one line for each scan of a port: %s", got)
	}
	plain := dial(t, addr)
	io.WriteString(plain, get("/"))
	if got, _ := io.ReadAll(plain); !strings.Contains(string(got), "HTTP request to an HTTPS server") {
		t.Errorf("plain HTTP: got %q", got)
	}
}

// One HTTP/2 connection has so many requests in flight; the client is told how many.
func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr, config := serveTLS(t, f)
	c := dialTLS(t, addr, config, "h2")
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	frame := make([]byte, 9) // RFC 9113, 4.1
	if _, err := io.ReadFull(c, frame); err != nil || frame[3] != 4 {
		t.Fatalf("got %v, %v, want SETTINGS", frame, err)
	}
	settings := make([]byte, int(frame[1])<<8|int(frame[2]))
	if _, err := io.ReadFull(c, settings); err != nil {
		t.Fatal(err)
	}
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == 3 { // SETTINGS_MAX_CONCURRENT_STREAMS
			if got := binary.BigEndian.Uint32(settings[2:]); got != maxStreams {
				t.Errorf("%d streams, want %d", got, maxStreams)
			}
			return
		}
	}
	t.Error("streams are not bounded")
}

// Shutdown over TLS is as without: answers in flight end, who only listens is closed, a
// handshake that does not end holds nothing up.
func TestShutdownOverTLS(t *testing.T) {
	f := newFixture(t, Options{})
	const size = 8 << 20
	f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", "nova"), f.write("large-1.0.0.tgz", strings.Repeat("x", size))))
	server, addr, config := serveTLS(t, f)
	idle := dialTLS(t, addr, config, "http/1.1")
	exchange(t, idle, get("/charts/nova-1.0.0.tgz"))
	silent := []net.Conn{idle, dial(t, addr), dialTLS(t, addr, config, "http/1.1"), dialTLS(t, addr, config, "h2")}
	var busy []*http.Response
	for _, http2 := range protocols() {
		resp, err := secureClient(t, config, http2).Get("https://" + addr + "/charts/large-1.0.0.tgz")
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, resp)
	}
	done, start := make(chan error, 1), time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- server.Shutdown(ctx)
	}()
	for _, c := range silent {
		_, err := io.Copy(io.Discard, c)
		if n, ok := err.(net.Error); ok && n.Timeout() {
			t.Error("a connection without a request is not closed")
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("connections without a request were closed after %v", took)
	}
	select {
	case err := <-done:
		t.Errorf("Shutdown ended before the answers: %v", err)
	default:
	}
	for _, resp := range busy {
		if n := len(text(t, resp)); n != size {
			t.Errorf("%s: %d bytes of the answer in flight came", resp.Proto, n)
		}
		resp.Body.Close()
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// A unix socket has the same bounds, and the same answers.
func TestUnixSocket(t *testing.T) {
	f := newFixture(t, Options{})
	v := f.snapshot(f.write("nova-1.0.0.tgz", "nova"), f.write("large-1.0.0.tgz", strings.Repeat("x", 3*stepBytes)))
	v.Index.YAML.Data = inParts(strings.Repeat("y", 64<<20))
	f.src.p.Store(v)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := serveOn(t, f, l, nil, func(s *Server) {
		s.limit.slots = make(chan struct{}, 1)
		s.http.WriteTimeout = 500 * time.Millisecond
	})
	open := func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		return c
	}
	c := open()
	r := bufio.NewReader(c)
	for path, size := range map[string]int{"nova": 4, "large": 3 * stepBytes} {
		io.WriteString(c, get("/charts/"+path+"-1.0.0.tgz"))
		if got := readAnswer(t, r, "GET"); len(got.Body) != size {
			t.Errorf("%s: %d bytes", path, len(got.Body))
		}
	}
	stalled := open() // in the room of the first, which is idle
	io.WriteString(stalled, get("/charts/index.yaml"))
	if _, err := io.ReadFull(stalled, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v, want its end", err)
	}
	time.Sleep(time.Second)
	if n, _ := io.Copy(io.Discard, stalled); n >= 64<<20 {
		t.Errorf("a stalled reader got %d bytes", n)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
