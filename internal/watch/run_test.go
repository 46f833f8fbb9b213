package watch

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// fake is a notifier whose events and errors the test makes up.
type fake struct {
	events chan fsnotify.Event
	errs   chan error
	close  func()

	mu     sync.Mutex
	addErr error
	calls  []string
}

func newFake() *fake {
	f := &fake{events: make(chan fsnotify.Event), errs: make(chan error)}
	f.close = sync.OnceFunc(func() {
		close(f.events)
		close(f.errs)
	})
	return f
}

func (f *fake) Add(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "add "+filepath.Base(dir))
	return f.addErr
}

func (f *fake) Remove(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "remove "+filepath.Base(dir))
	return nil
}

func (f *fake) Close() error                  { f.close(); return nil }
func (f *fake) Events() <-chan fsnotify.Event { return f.events }
func (f *fake) Errors() <-chan error          { return f.errs }

func (f *fake) write(path string) { f.events <- fsnotify.Event{Name: path, Op: fsnotify.Write} }

func withFake(t *testing.T, f *fake, o Options) *Watcher {
	t.Helper()
	w, err := newWatcher(o, func() (notifier, error) { return f, nil })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// timed runs a scenario on a synthetic clock with default options but for the
// safety rescans, and closes the Watcher after it.
func timed(t *testing.T, o Options, do func(t *testing.T, f *fake, w *watched)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		w := watchedOf(withFake(t, f, o))
		run(t, w)
		do(t, f, w)
	})
}

// next waits for a Change and tells when it came.
func next(t *testing.T, w *watched, since time.Time) (Change, time.Duration) {
	t.Helper()
	return <-w.changes, time.Since(since)
}

func TestQuietTime(t *testing.T) {
	timed(t, Options{Rescan: -1}, func(t *testing.T, f *fake, w *watched) {
		begin := time.Now()
		f.write("/b")
		time.Sleep(20 * time.Millisecond)
		f.write("/a")
		got, after := next(t, w, begin)
		if diff := cmp.Diff(Change{Paths: []string{"/a", "/b"}, Since: begin}, got); diff != "" {
			t.Error(diff)
		}
		if want := 50 * time.Millisecond; after != want {
			t.Errorf("came after %v, want %v", after, want)
		}
	})
}

func TestMaxDelay(t *testing.T) {
	timed(t, Options{Rescan: -1}, func(t *testing.T, f *fake, w *watched) {
		begin := time.Now()
		stop := make(chan struct{})
		var busy sync.WaitGroup
		busy.Go(func() {
			for {
				select {
				case f.events <- fsnotify.Event{Name: "/a", Op: fsnotify.Write}:
				case <-stop:
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		if _, after := next(t, w, begin); after != 500*time.Millisecond {
			t.Errorf("came after %v, want 500ms while changes go on", after)
		}
		close(stop)
		busy.Wait()
	})
}

func TestTicks(t *testing.T) {
	tests := map[string]struct {
		o      Options
		mode   string
		every  time.Duration
		reason string
	}{
		"safety rescan": {Options{}, "events", time.Minute, "safety rescan"},
		"its interval":  {Options{Rescan: 5 * time.Second}, "events", 5 * time.Second, "safety rescan"},
		"polling":       {Options{Poll: 3 * time.Second}, "polling every 3s", 3 * time.Second, "poll"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			timed(t, tt.o, func(t *testing.T, _ *fake, w *watched) {
				if got := w.Mode(); got != tt.mode {
					t.Errorf("mode %q, want %q", got, tt.mode)
				}
				begin := time.Now()
				for i := range 3 {
					got, after := next(t, w, begin)
					if diff := cmp.Diff(Change{Rescan: true, Reason: tt.reason}, got, untimed()); diff != "" {
						t.Error(diff)
					}
					if want := time.Duration(i+1)*tt.every + defaultQuiet; after != want {
						t.Errorf("came after %v, want %v", after, want)
					}
				}
			})
		})
	}
}

func TestNoRescans(t *testing.T) {
	timed(t, Options{Rescan: -1}, func(t *testing.T, _ *fake, w *watched) {
		select {
		case ch := <-w.changes:
			t.Errorf("got %v, want nothing", ch)
		case <-time.After(24 * time.Hour):
		}
	})
}

func nobody(Change) {}

func TestRunEnds(t *testing.T) {
	tests := map[string]func(*Watcher, context.CancelFunc){
		"by its context": func(_ *Watcher, cancel context.CancelFunc) { cancel() },
		"by Close":       func(w *Watcher, _ context.CancelFunc) { w.Close(); w.Close() },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			w := newEvents(t)
			if err := w.Add(realDir(t)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error)
			go func() { done <- w.Run(ctx, nobody) }()
			end(w, cancel)
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			if err := w.Add(realDir(t)); err != nil {
				t.Errorf("Add afterwards: %v", err)
			}
			if err := w.Close(); err != nil {
				t.Errorf("Close afterwards: %v", err)
			}
			if err := w.Run(context.Background(), nobody); err == nil {
				t.Error("a second Run: no error")
			}
		})
	}
}

func TestCloseWithoutRun(t *testing.T) {
	w := newEvents(t)
	if err := w.Add(realDir(t)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := w.Run(context.Background(), nobody); err != nil {
		t.Errorf("Run after Close: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"quiet": {Quiet: -1}, "delay": {MaxDelay: -1}, "poll": {Poll: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if w, err := New(o); err == nil {
				w.Close()
				t.Error("no error")
			}
		})
	}
}
