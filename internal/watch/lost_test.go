package watch

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// The kernel's queue is made to overflow by events that nobody reads yet.
func TestOverflow(t *testing.T) {
	raw, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip("no inotify here:", err)
	}
	queue, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || queue > 200_000 {
		t.Skipf("the queue is too long to fill: %s", raw)
	}
	w := watchedOf(newEvents(t))
	c := &consumer{t: t, w: w, root: realDir(t)}
	c.scan()
	var files [2]*os.File // two in turn, because equal events are merged
	for i := range files {
		files[i], err = os.Create(c.path(strconv.Itoa(i)))
		c.check(err)
		defer files[i].Close()
	}
	for i := range queue + 10_000 { // some more are read ahead
		_, err := files[i%2].WriteString("x")
		c.check(err)
	}
	run(t, w)
	if got, want := c.wantRescan().Reason, "too many events at once"; got != want {
		t.Errorf("reason %q, want %q", got, want)
	}
	c.write("x", "x")
	c.wantPath("x")
}

func TestErrorsFromEvents(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"overflow": {fmt.Errorf("w: %w", fsnotify.ErrEventOverflow), "too many events at once"},
		"other":    {errors.New("short read"), "an event could not be read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			timed(t, Options{Rescan: -1}, func(t *testing.T, f *fake, w *watched) {
				f.errs <- tt.err
				got, _ := next(t, w, time.Now())
				if diff := cmp.Diff(Change{Rescan: true, Reason: tt.want}, got, untimed()); diff != "" {
					t.Error(diff)
				}
				if got := w.Mode(); got != "events" {
					t.Errorf("mode %q", got)
				}
			})
		})
	}
}

// syncBuffer is a log that the test reads while others write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestFallBackInAdd(t *testing.T) {
	tests := map[string]struct {
		err  error
		mode string
	}{
		"ENOSPC":      {syscall.ENOSPC, "polling every 2s (watch limit reached)"},
		"EMFILE":      {fmt.Errorf("add: %w", syscall.EMFILE), "polling every 2s (watch limit reached)"},
		"ENOSYS":      {syscall.ENOSYS, "polling every 2s (no file system events)"},
		"unsupported": {errors.ErrUnsupported, "polling every 2s (no file system events)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, log := newFake(), &syncBuffer{}
				w := watchedOf(withFake(t, f, Options{Rescan: -1, Logger: slog.New(slog.NewTextHandler(log, nil))}))
				run(t, w)
				f.addErr = tt.err
				dir := t.TempDir()
				for range 3 {
					if err := w.Add(dir); err != nil {
						t.Fatalf("Add: %v", err)
					}
				}
				if got := w.Mode(); got != tt.mode {
					t.Errorf("mode %q, want %q", got, tt.mode)
				}
				if got := strings.Count(log.String(), "level=WARN"); got != 1 {
					t.Errorf("%d warnings, want 1:\n%s", got, log)
				}
				begin := time.Now()
				for i := range 3 { // at once, for what was lost, then as polling does
					got, after := next(t, w, begin)
					if want := time.Duration(i)*fallbackPoll + defaultQuiet; !got.Rescan || after != want {
						t.Errorf("got %v after %v, want a rescan after %v", got, after, want)
					}
				}
			})
		})
	}
}

func TestFallBackInNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polling, err := newWatcher(Options{}, func() (notifier, error) { return nil, syscall.EMFILE })
		if err != nil {
			t.Fatal(err)
		}
		w := watchedOf(polling)
		run(t, w)
		if got, want := w.Mode(), "polling every 2s (watch limit reached)"; got != want {
			t.Errorf("mode %q, want %q", got, want)
		}
		begin := time.Now()
		next(t, w, begin)
		if _, after := next(t, w, begin); after != fallbackPoll+defaultQuiet {
			t.Errorf("the second came after %v", after)
		}
	})
}

func TestFallBackWhenEventsEnd(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fake, w *watched) {
		f.close()
		if got, _ := next(t, w, time.Now()); !got.Rescan {
			t.Errorf("got %v, want a rescan", got)
		}
		if got, want := w.Mode(), "polling every 2s (events ended)"; got != want {
			t.Errorf("mode %q, want %q", got, want)
		}
	})
}
