package remote

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func gzipOf(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestIndexAge(t *testing.T) {
	tests := map[string]struct {
		age, passed time.Duration
		asked       int
	}{
		"within a minute":        {0, 59 * time.Second, 1},
		"after a minute":         {0, time.Minute, 2},
		"within an age given":    {time.Hour, 59 * time.Minute, 1},
		"after an age given":     {time.Second, time.Second, 2},
		"no age":                 {-1, 0, 2},
		"no age, and time moved": {-1, time.Second, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h, now := newHost(t), newClock()
			h.put("/index.yaml", indexOf(good("nova", "1.0.0", "data")))
			h.put("/nova-1.0.0.tgz", "data")
			c := newClient(t, Options{IndexAge: tt.age, Now: now.Now})
			for range 2 {
				if got, err := fetch(t, c, h.URL+"/", "nova", "*"); err != nil || got != "data" {
					t.Fatalf("got %q, %v", got, err)
				}
				now.add(tt.passed)
			}
			if n := strings.Count(strings.Join(h.asked(), "\n"), "index.yaml"); n != tt.asked {
				t.Errorf("the index was asked for %d times, want %d", n, tt.asked)
			}
		})
	}
}

func TestIndexConditional(t *testing.T) {
	const modified = "Fri, 02 Jan 2026 03:04:05 GMT"
	for name, validator := range map[string][2]string{ // response header, request header
		"by its tag":  {"ETag", "If-None-Match"},
		"by its time": {"Last-Modified", "If-Modified-Since"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			current, text := `"one"`, indexOf(good("nova", "1.0.0", ""))
			if validator[0] == "Last-Modified" {
				current = modified
			}
			sent := 0
			h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(validator[0], current)
				if r.Header.Get(validator[1]) == current {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				sent++
				io.WriteString(w, text)
			})
			c := newClient(t, Options{IndexAge: -1})
			for i, want := range []struct {
				version string
				sent    int
			}{{"1.0.0", 1}, {"1.0.0", 1}, {"2.0.0", 2}, {"2.0.0", 2}} {
				if i == 2 {
					text = indexOf(good("nova", "2.0.0", ""))
					current = strings.NewReplacer("one", "two", "03:04:05", "04:04:05").Replace(current)
				}
				f, err := indexAt(t.Context(), c, h.URL)
				if err != nil {
					t.Fatal(err)
				}
				if f.Entries[0].Version != want.version || sent != want.sent {
					t.Errorf("ask %d: got %s, sent %d times; want %+v", i, f.Entries[0].Version, sent, want)
				}
			}
		})
	}
}

// TestIndexUnasked: a 304 to a request without conditions is no answer.
func TestIndexUnasked(t *testing.T) {
	h := newHost(t)
	h.handle("/index.yaml", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, err := indexAt(t.Context(), newClient(t, Options{}), h.URL)
	wantError(t, err, "304")
}

func TestIndexFailureIsKept(t *testing.T) {
	h, now := newHost(t), newClock()
	c := newClient(t, Options{Now: now.Now})
	for i, step := range []struct {
		passed time.Duration
		asked  int
	}{{0, 1}, {0, 1}, {maxFailureAge - time.Second, 1}, {time.Second, 2}} {
		now.add(step.passed)
		_, err := indexAt(t.Context(), c, h.URL)
		wantError(t, err, "/index.yaml: status 404 Not Found (no chart repository is there)")
		if n := len(h.asked()); n != step.asked {
			t.Errorf("step %d: asked %d times, want %d", i, n, step.asked)
		}
	}
	h.put("/index.yaml", indexOf())
	now.add(maxFailureAge)
	if _, err := indexAt(t.Context(), c, h.URL); err != nil {
		t.Error(err)
	}
}

// TestIndexTogether: callers who want one index at the same time share a request,
// those who want another don't wait, and one whose context ends does not either.
func TestIndexTogether(t *testing.T) {
	h := newHost(t)
	h.put("/other/index.yaml", indexOf())
	began, release := make(chan struct{}), make(chan struct{})
	h.handle("/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		began <- struct{}{}
		<-release
		io.WriteString(w, indexOf())
	})
	c := newClient(t, Options{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := indexAt(t.Context(), c, h.URL); err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	if _, err := indexAt(t.Context(), c, h.URL+"/other"); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := indexAt(ended, c, h.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	wg.Wait()
	if n := len(h.asked()); n != 2 {
		t.Errorf("%d requests, want 2: %q", n, h.asked())
	}
}

func TestIndexForgets(t *testing.T) {
	h, now := newHost(t), newClock()
	c := newClient(t, Options{Now: now.Now})
	at := func(i int) string { return fmt.Sprintf("%s/%d", h.URL, i) }
	for i := range maxCached + 2 {
		h.put(fmt.Sprintf("/%d/index.yaml", i), indexOf())
		now.add(time.Millisecond)
		if _, err := indexAt(t.Context(), c, at(i)); err != nil {
			t.Fatal(err)
		}
		now.add(time.Millisecond)
		if _, err := indexAt(t.Context(), c, at(0)); err != nil { // in use all the time
			t.Fatal(err)
		}
	}
	if len(c.indexes) != maxCached || c.indexes[at(0)] == nil || c.indexes[at(1)] != nil || c.indexes[at(2)] != nil {
		t.Errorf("%d are kept, want %d without the two that were not used for the longest", len(c.indexes), maxCached)
	}
	// One that is larger than all may be together stays alone, until the next.
	c.evict(c.indexes[at(5)], maxCachedBytes+1)
	if len(c.indexes) != 1 || c.indexes[at(5)] == nil {
		t.Errorf("%d are kept, want the large one alone", len(c.indexes))
	}
}

// TestIndexUsers: what one user may see is not another's.
func TestIndexUsers(t *testing.T) {
	h := newHost(t)
	h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if password != "hunter2" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		io.WriteString(w, indexOf(good(user, "1.0.0", "")))
	})
	c := newClient(t, Options{})
	for _, user := range []string{"ann", "bob"} {
		f, err := indexAt(t.Context(), c, strings.Replace(h.URL, "://", "://"+user+":hunter2@", 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Entries[0].Name; got != user {
			t.Errorf("%s sees the index of %s", user, got)
		}
	}
	_, err := indexAt(t.Context(), c, h.URL)
	wantError(t, err, "status 401 Unauthorized")
}
