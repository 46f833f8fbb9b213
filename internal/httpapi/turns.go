package httpapi

import (
	"net/http"
	"time"

	"chartserve/internal/repo"
)

const (
	// maxUploads bounds the uploads that are taken in at once, and with them what is staged
	// in the repository folder: so many times Uploads.MaxSize. They become one pass, so that
	// more at once are not more a second.
	maxUploads = 128
	// uploadWait is how long an upload waits for its turn, which is less than readTimeout.
	uploadWait = 20 * time.Second
)

// turns bounds the requests that are handled at once; others wait.
type turns struct {
	slots chan struct{} // holds an element for each request
	wait  time.Duration
}

func newTurns(n int, wait time.Duration) *turns { return &turns{make(chan struct{}, n), wait} }

// inTurn returns errBusy to a request that has waited for so long, of whose body nothing
// was read.
func (t *turns) inTurn(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		late := time.NewTimer(t.wait)
		defer late.Stop()
		select {
		case t.slots <- struct{}{}:
			defer func() { <-t.slots }()
			return h(w, r, v)
		case <-r.Context().Done():
		case <-late.C:
		}
		return errBusy
	}
}
