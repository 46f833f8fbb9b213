package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"chartserve/internal/repo"
)

const (
	// eventsApart keeps a burst of changes from being an event each.
	eventsApart = 100 * time.Millisecond
	// beatEvery is how often a comment goes out where there is no event: proxies cut a
	// connection that says nothing, and a client that has gone is noticed.
	beatEvery = 15 * time.Second
	// followFor bounds one answer. Clients ask again by themselves, which asks for their
	// rights again too.
	followFor = 10 * time.Minute
	// defaultFollowers is Options.Followers'.
	defaultFollowers = 500
)

// change is what an event says of the repository, as far as the client may see it.
type change struct {
	id       string // differs whenever there is something to see
	Ready    bool   `json:"ready"`
	Charts   int    `json:"charts"`
	Archives int    `json:"archives"`
	Failures int    `json:"failures"`
}

func changeOf(v *repo.View) change {
	st := v.Status
	c := change{Ready: v.Index != nil, Charts: st.Charts, Archives: st.Archives, Failures: len(st.Failures)}
	sum := sha256.New()
	if v.Index != nil {
		fmt.Fprintln(sum, v.Index.JSON.ETag)
	}
	_ = json.NewEncoder(sum).Encode([]any{st.Ready, st.Progress, st.Problem, st.Failures, st.Warnings, st.Changes}) // of plain types, to a hash
	c.id = hex.EncodeToString(sum.Sum(nil)[:8])
	return c
}

// changes has what followers are told of a View, made once for all of them: with many failures
// that takes milliseconds. The zero value is ready; of may be called at once.
type changes struct {
	mu   sync.Mutex
	view *repo.View
	last change
}

func (c *changes) of(v *repo.View) change {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view != v {
		c.view, c.last = v, changeOf(v)
	}
	return c.last
}

// events tells a client of each change until it goes away, in the form of server-sent
// events (the HTML standard): the first at once, unless Last-Event-ID is its id. With limit=1
// in the query the answer ends behind the first.
func (a *api) events(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	answer := head{kind: "text/event-stream", policy: barePolicy, cache: "no-store"}
	if r.Method == http.MethodHead {
		answer.set(w.Header(), -1)
		return nil
	}
	if !a.followers.TryAcquire(1) {
		return errBusy
	}
	defer a.followers.Release(1)
	ctx, cancel := context.WithTimeout(r.Context(), followFor)
	defer cancel()
	f := follower{w: w, control: http.NewResponseController(w), end: endOf(r), last: r.Header.Get("Last-Event-ID")}
	_ = f.control.SetReadDeadline(time.Time{}) // the request has been read; recorders have none
	if r.URL.Query().Get("limit") == "1" {
		answer.reply(w, r, http.StatusOK, f.next(ctx, a, r, func() {}))
		return nil
	}
	answer.set(w.Header(), -1)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events to itself
	for f.err == nil {
		event := f.next(ctx, a, r, func() { f.send([]byte(": still here\n\n")) })
		if event == nil {
			return nil
		}
		f.send(event)
		f.wait(ctx, nil, eventsApart)
	}
	return nil // the client has gone
}

// next waits for an event; nil: there will be none. beat is called while there is none.
func (f *follower) next(ctx context.Context, a *api, r *http.Request, beat func()) []byte {
	for !f.over(ctx) {
		whole := a.at(r).src.View()
		if now := a.faceOf(r).changes.of(a.view(r)); now.id != f.last {
			f.last = now.id
			return fmt.Appendf(nil, "id: %s\nevent: change\ndata: %s\n\n", now.id, jsonOf(now))
		}
		for !f.wait(ctx, whole.Superseded(), beatEvery) && !f.over(ctx) {
			beat()
		}
	}
	return nil
}

// follower is a client that is told of changes.
type follower struct {
	w       http.ResponseWriter
	control *http.ResponseController
	end     <-chan struct{} // closed when the server stops
	last    string          // the id of the last event
	err     error           // the first
}

func (f *follower) send(text []byte) {
	_ = f.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, f.err = f.w.Write(text); f.err == nil {
		f.err = f.control.Flush()
	}
}

// wait reports whether next was closed before the time was up.
func (f *follower) wait(ctx context.Context, next <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-next:
		return true
	case <-f.end:
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

// over reports whether no more can be sent.
func (f *follower) over(ctx context.Context) bool {
	select {
	case <-f.end:
		return true
	default:
		return f.err != nil || ctx.Err() != nil
	}
}

type endKey struct{}

// endOf is closed when the server of a request stops; nil: nobody stops it.
func endOf(r *http.Request) <-chan struct{} {
	end, _ := r.Context().Value(endKey{}).(chan struct{})
	return end
}
