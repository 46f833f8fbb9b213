package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"chartserve/internal/repo"
)

// One more request than may be handled at once waits, for a while.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled atomic.Int32
		took := 10 * time.Second
		h := (&api{uploads: semaphore.NewWeighted(1)}).inTurn(func(http.ResponseWriter, *http.Request, *repo.View) error {
			handled.Add(1)
			time.Sleep(took)
			return nil
		})
		ask := func(ctx context.Context) chan error {
			done := make(chan error, 1)
			go func() { done <- h(nil, httptest.NewRequestWithContext(ctx, "POST", "/", nil), nil) }()
			synctest.Wait()
			return done
		}
		first, second := ask(t.Context()), ask(t.Context())
		if n := handled.Load(); n != 1 {
			t.Errorf("%d at once", n)
		}
		if err := errors.Join(<-first, <-second); err != nil || handled.Load() != 2 {
			t.Errorf("who waited: %v, %d handled", err, handled.Load())
		}
		took = time.Minute
		gone, leave := context.WithCancel(t.Context())
		first, second, third := ask(t.Context()), ask(gone), ask(t.Context())
		leave()
		begun := time.Now()
		if err := <-second; err != errBusy || time.Since(begun) != 0 {
			t.Errorf("who has left: %v after %s", err, time.Since(begun))
		}
		if err := <-third; err != errBusy || time.Since(begun) != uploadWait {
			t.Errorf("who waited in vain: %v after %s", err, time.Since(begun))
		}
		if err := <-first; err != nil || handled.Load() != 3 {
			t.Errorf("the first: %v, %d handled", err, handled.Load())
		}
	})
	w := httptest.NewRecorder()
	if fail(w, httptest.NewRequest("POST", "/api/charts", nil), errBusy); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("the answer: %d, %v", w.Code, w.Header())
	}
}
