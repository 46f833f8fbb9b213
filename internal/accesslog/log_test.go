package accesslog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"chartserve/internal/unixtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byID is a form of which nothing but the id is seen.
func byID(b []byte, r *Request) []byte { return append(b, r.ID...) }

// output is a stream that is read while it is written.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// Lines wait for others a quarter of a second and no longer, and Close writes them at once.
func TestLinesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out output
		l := New(&out, byID, nil)
		l.Write(&Request{ID: "a"})
		l.Write(&Request{ID: "b"})
		if out.String() != "" {
			t.Errorf("written at once: %q", out.String())
		}
		after(flushDelay)
		if got := out.String(); got != "a\nb\n" {
			t.Errorf("after the delay: %q", got)
		}
		l.Write(&Request{ID: "c"})
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		l.Write(&Request{ID: "after Close"})
		after(2 * flushDelay)
		if got := out.String(); got != "a\nb\nc\n" {
			t.Errorf("after Close: %q", got)
		}
	})
}

// Many lines don't wait.
func TestManyLines(t *testing.T) {
	var out output
	l := New(&out, byID, nil)
	defer l.Close()
	for range flushSize {
		l.Write(&Request{ID: "x"})
	}
	if len(out.String()) < flushSize {
		t.Errorf("%d bytes written", len(out.String()))
	}
}

// A file that others rename, again and again, has every line whole, and once.
func TestRenamedUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := Open(path, byID, nil)
	if err != nil {
		t.Fatal(err)
	}
	const writers, lines, renames = 8, 5000, 20
	var load sync.WaitGroup
	for w := range writers {
		load.Go(func() {
			for i := range lines {
				l.Write(&Request{ID: fmt.Sprintf("writer %d line %04d of many", w, i)})
			}
		})
	}
	for i := range renames {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Error(err)
		}
		if err := l.Reopen(); err != nil {
			t.Error(err)
		}
	}
	load.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != renames+1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
	}
	all = slices.DeleteFunc(all, func(line string) bool { return line == "" }) // of empty files
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != writers*lines || len(all) != n {
		t.Errorf("%d lines, %d different, want %d", len(all), n, writers*lines)
	}
	for _, line := range all {
		if !strings.HasSuffix(line, "of many") || !strings.HasPrefix(line, "writer") {
			t.Fatalf("torn: %q", line)
		}
	}
}

// The new file appears once the lines so far are in the old one.
func TestReopenWritesFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := Open(path, byID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.out.Lock() // somebody writes
	done := make(chan error)
	go func() { done <- l.Reopen() }()
	time.Sleep(50 * time.Millisecond)
	if _, err := os.Stat(path); err == nil {
		t.Error("it is there already")
	}
	l.Write(&Request{ID: "a"})
	l.out.Unlock()
	if err := errors.Join(<-done, l.Close()); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(path + ".1"); string(got) != "a\n" {
		t.Errorf("the old file has %q", got)
	}
}

// A file that can't be opened again leaves the Log with the one that it has.
func TestReopenFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := Open(filepath.Join(dir, "access.log"), byID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Error("no error")
	}
	l.Write(&Request{ID: "a"})
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir+".old", "access.log")); string(got) != "a\n" {
		t.Errorf("got %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unixtest.Fifo(pipe); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, path := range []string{dir, pipe, filepath.Join(dir, "none", "access.log")} {
		if l, err := Open(path, byID, nil); err == nil {
			l.Close()
			t.Errorf("%s: no error", path)
		}
	}
}

// full is a disk with room for so many bytes.
type full struct {
	output
	room atomic.Int64
}

func (f *full) Write(p []byte) (int, error) {
	n := min(int(f.room.Load()), len(p))
	f.output.Write(p[:n])
	f.room.Add(-int64(n))
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// On a full disk lines wait, whole, until there is room; what does not fit into memory is
// counted. It is said once.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log output
		disk := &full{}
		disk.room.Store(3)
		l := New(disk, byID, slog.New(slog.NewTextHandler(&log, nil)))
		l.Write(&Request{ID: "first"})
		l.Write(&Request{ID: "second"})
		after(10 * flushDelay)
		if got := strings.Count(log.String(), "no space left"); got != 1 || disk.String() != "fir" {
			t.Errorf("written %q, log %q", disk.String(), log.String())
		}
		l.Write(&Request{ID: strings.Repeat("x", maxHeld)})
		disk.room.Store(1 << 20)
		after(flushDelay)
		l.Write(&Request{ID: "third"})
		l.Close()
		if got := disk.String(); got != "first\nsecond\nthird\n" || !strings.Contains(log.String(), "lost=1") {
			t.Errorf("written %q, log %q", got, log.String())
		}
	})
}

// stalled is a stream that nobody reads until read is closed.
type stalled struct {
	output
	read chan struct{}
}

func (s *stalled) Write(p []byte) (int, error) {
	<-s.read
	return s.output.Write(p)
}

// Requests wait for nobody who reads the log: lines do, in their order.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log output
		out := &stalled{read: make(chan struct{})}
		l := New(out, byID, slog.New(slog.NewTextHandler(&log, nil)))
		const lines = 3000
		want := ""
		line := func(i int) string { return fmt.Sprintf("%05d%s", i, strings.Repeat("x", 100)) }
		for i := range lines {
			l.Write(&Request{ID: line(i)})
			want += line(i) + "\n"
			synctest.Wait()
		}
		after(10 * flushDelay)
		l.Write(&Request{ID: strings.Repeat("x", maxHeld)})
		close(out.read)
		after(2 * flushDelay)
		if got := out.String(); got != want {
			t.Errorf("%d bytes, want %d", len(got), len(want))
		}
		if !strings.Contains(log.String(), "lost=1") {
			t.Errorf("log %q", log.String())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// after lets so much time pass, and what it starts.
func after(d time.Duration) {
	time.Sleep(d + 1)
	synctest.Wait()
}
