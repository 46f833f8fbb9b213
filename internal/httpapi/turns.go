package httpapi

import (
	"context"
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

// inTurn has h wait for its turn. It returns errBusy to a request that has waited for
// uploadWait, of whose body nothing was read.
func (a *api) inTurn(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		ctx, cancel := context.WithTimeout(r.Context(), uploadWait)
		err := a.uploads.Acquire(ctx, 1)
		cancel()
		if err != nil {
			return errBusy
		}
		defer a.uploads.Release(1)
		return h(w, r, v)
	}
}
