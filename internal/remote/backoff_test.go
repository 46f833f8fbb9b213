package remote

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// script is a transport that answers in turn and notes when.
type script struct {
	answers []http.Response
	began   time.Time
	at      []time.Duration
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Since(s.began))
	a := s.answers[min(len(s.at), len(s.answers))-1]
	a.Body, a.Request = http.NoBody, r
	if a.Header == nil {
		a.Header = http.Header{}
	}
	return &a, nil
}

func TestWaits(t *testing.T) {
	after := func(code int, header string) http.Response {
		return http.Response{StatusCode: code, Header: http.Header{"Retry-After": {header}}}
	}
	plain := http.Response{StatusCode: 503}
	tests := map[string]struct {
		answers  []http.Response
		opts     Options
		deadline time.Duration
		want     [][2]time.Duration // bounds of each wait
	}{
		"doubling": {answers: []http.Response{plain},
			want: [][2]time.Duration{{250e6, 500e6}, {500e6, 1e9}, {1e9, 2e9}}},
		"at most MaxWait": {answers: []http.Response{plain}, opts: Options{MaxWait: 600 * time.Millisecond, Retries: 5},
			want: [][2]time.Duration{{250e6, 500e6}, {300e6, 600e6}, {300e6, 600e6}, {300e6, 600e6}, {300e6, 600e6}}},
		"none": {answers: []http.Response{plain}, opts: Options{Retries: -1}},
		"as asked, in seconds": {answers: []http.Response{after(429, "7"), after(503, " 12 "), plain},
			want: [][2]time.Duration{{7e9, 7e9}, {12e9, 12e9}, {1e9, 2e9}}},
		"as asked, by a date": {answers: []http.Response{after(503, "Sat, 01 Jan 2000 00:00:09 GMT"), {StatusCode: 404}},
			want: [][2]time.Duration{{9e9, 9e9}}},
		"a date that has passed": {answers: []http.Response{after(503, "Fri, 31 Dec 1999 00:00:00 GMT")}, opts: Options{Retries: 1},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"rubbish": {answers: []http.Response{after(503, "soon"), {StatusCode: 404}},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"less than our own": {answers: []http.Response{after(503, "0"), {StatusCode: 404}},
			want: [][2]time.Duration{{250e6, 500e6}}},
		"more than MaxWait":      {answers: []http.Response{after(503, "31")}},
		"beyond the deadline":    {answers: []http.Response{after(503, "20")}, deadline: 10 * time.Second},
		"far too many seconds":   {answers: []http.Response{after(503, "99999999999999999999999")}, want: [][2]time.Duration{{250e6, 500e6}, {500e6, 1e9}, {1e9, 2e9}}},
		"not for a client's sin": {answers: []http.Response{after(400, "1")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers, began: time.Now()} // 2000-01-01 in here
				c, err := New(tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				c.over(s)
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				_, err = indexAt(ctx, c, "http://charts.example.com")
				wantError(t, err, "status ")
				var e *StatusError
				if !errors.As(err, &e) || e.RetryAfter < 0 {
					t.Errorf("got %+v", e)
				}
				if len(s.at) != len(tt.want)+1 {
					t.Fatalf("requests at %v, want %d waits", s.at, len(tt.want))
				}
				for i, bounds := range tt.want {
					if wait := s.at[i+1] - s.at[i]; wait < bounds[0] || wait > bounds[1] {
						t.Errorf("wait %d was %v, want within %v", i, wait, bounds)
					}
				}
			})
		})
	}
}

// TestWaitEnds: a context that ends during a wait ends it.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.Response{{StatusCode: 503, Header: http.Header{"Retry-After": {"20"}}}}, began: time.Now()}
		c, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.over(s)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = indexAt(ctx, c, "http://charts.example.com")
		wantError(t, err, "context canceled, after status 503")
		if !errors.Is(err, context.Canceled) || time.Since(s.began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(s.began))
		}
	})
}
