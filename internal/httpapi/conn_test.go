package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// connection is a conn and its other end.
func connection(t *testing.T) (ours *conn, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs = dial(t, l.Addr().String())
	limit := &limit{slots: make(chan struct{}, 1)}
	c, err := (&listener{Listener: l, limit: limit, timeout: time.Minute}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*conn), theirs
}

func TestConnJoins(t *testing.T) {
	ours, theirs := connection(t)
	ours.joins = true
	if n, err := io.WriteString(ours, "head "); n != 5 || err != nil {
		t.Errorf("head: %d, %v", n, err)
	}
	theirs.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := theirs.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the head did not wait: %v", err)
	}
	for _, p := range []string{"body ", "more"} {
		if n, err := io.WriteString(ours, p); n != len(p) || err != nil {
			t.Errorf("%s: %d, %v", p, n, err)
		}
	}
	ours.Close()
	theirs.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := io.ReadAll(theirs); string(got) != "head body more" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if n, err := io.WriteString(ours, "late"); n != 0 || err == nil {
		t.Errorf("on a closed connection: %d, %v", n, err)
	}
}

// Who has taken a step of an answer has another timeout for the next, whichever way it is
// sent; who has not, has not.
func TestDeadlineIsExtended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, make([]byte, 3*stepBytes), 0o644); err != nil {
		t.Fatal(err)
	}
	ways := map[string]func(c *conn, size int64) error{
		"Write": func(c *conn, size int64) error {
			_, err := c.Write(make([]byte, size))
			return err
		},
		"small writes": func(c *conn, size int64) (err error) {
			for n := int64(0); n < size && err == nil; n += 1 << 10 {
				_, err = c.Write(make([]byte, 1<<10))
			}
			return err
		},
		"a file": func(c *conn, size int64) error {
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			n, err := c.ReadFrom(&io.LimitedReader{R: file, N: size})
			if err == nil && n != size {
				err = io.ErrShortWrite
			}
			return err
		},
		"parts of a text": func(c *conn, size int64) error {
			parts := net.Buffers(slices.Collect(slices.Chunk(make([]byte, size), 10_000)))
			_, err := c.ReadFrom(&parts)
			return err
		},
		"another reader": func(c *conn, size int64) error {
			_, err := c.ReadFrom(bytes.NewReader(make([]byte, size)))
			return err
		},
	}
	for name, send := range ways {
		for size, want := range map[int64]error{stepBytes / 2: os.ErrDeadlineExceeded, 2*stepBytes + 1<<10: nil} {
			t.Run(fmt.Sprintf("%s, %d", name, size), func(t *testing.T) {
				t.Parallel()
				ours, theirs := connection(t)
				go io.Copy(io.Discard, theirs)
				ours.SetWriteDeadline(time.Now().Add(2 * time.Second))
				if err := send(ours, size); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2100 * time.Millisecond)
				if err := send(ours, 1<<10); !errors.Is(err, want) {
					t.Errorf("after a timeout: %v, want %v", err, want)
				}
			})
		}
	}
}

// joining notes whether each write would have been joined.
type joining struct {
	*httptest.ResponseRecorder
	conn   *conn
	joined []bool
}

func (w *joining) Write(p []byte) (int, error) {
	w.joined = append(w.joined, w.conn.joins)
	return w.ResponseRecorder.Write(p)
}

// The head waits for a body that net/http writes in a second step, and for nothing
// else: it would wait for ever.
func TestWhatIsJoined(t *testing.T) {
	ours, _ := connection(t)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request = request.WithContext(withConn(t.Context(), ours))
	w := &joining{ResponseRecorder: httptest.NewRecorder(), conn: ours}
	large, small := strings.Repeat("x", httpBuffer+1), strings.Repeat("x", httpBuffer)
	for name, tt := range map[string]struct {
		writes []string
		want   []bool
	}{
		"large":            {[]string{large}, []bool{true}},
		"small":            {[]string{small}, []bool{false}},
		"large, then more": {[]string{large, large}, []bool{true, false}},
		"small, then more": {[]string{small, large}, []bool{false, false}},
	} {
		out := &response{ResponseWriter: w, request: request}
		w.joined = nil
		for _, p := range tt.writes {
			io.WriteString(out, p)
		}
		for i, got := range w.joined {
			if got != tt.want[i] {
				t.Errorf("%s: write %d is joined: %v", name, i, got)
			}
		}
		if ours.joins {
			t.Errorf("%s: what comes next would wait", name)
		}
	}
}

// Archives of every size around the buffers on the way arrive whole, one behind the
// other on one connection.
func TestSizesOverTheWire(t *testing.T) {
	f := newFixture(t, Options{})
	_, addr := serve(t, f)
	c := dial(t, addr)
	sizes := []int{0, 1, 2047, 2048, 2049, httpBuffer, httpBuffer + 1, 2 * httpBuffer, 3 * httpBuffer, smallFile, smallFile + 1, stepBytes, stepBytes + 1}
	for size := httpBuffer - 600; size < httpBuffer; size += 13 {
		sizes = append(sizes, size, size+httpBuffer)
	}
	for _, size := range sizes {
		want := strings.Repeat("0123456789", size/10+1)[:size]
		f.src.p.Store(f.snapshot(f.write("nova-1.0.0.tgz", want)))
		for _, got := range pipeline(t, c, "GET", get("/charts/nova-1.0.0.tgz"), 2) {
			if got.Body != want || got.Header.Get("Etag") != etagOf(want) {
				t.Fatalf("%d bytes: got %s with %d", size, got.Status, len(got.Body))
			}
		}
	}
}
