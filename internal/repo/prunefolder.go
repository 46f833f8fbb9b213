package repo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"chartserve/internal/store"
)

const (
	// pruneWait is how long the owner of a folder may take to answer.
	pruneWait = 2 * time.Minute
	// pruneEvery is how often the answer is looked for.
	pruneEvery = 50 * time.Millisecond
	// pruneRetry is how often it is tried whether there still is an owner.
	pruneRetry = 2 * time.Second
)

// PruneFolder prunes the folder at path as Repository.Prune does. A process that has the
// folder is asked to do it; byOther reports that it did.
func PruneFolder(ctx context.Context, path string, ask Prune, o Options) (out Pruned, byOther bool, err error) {
	if out, err = pruneHere(ctx, path, ask, o); !errors.Is(err, store.ErrLocked) {
		return out, false, err
	}
	text, err := json.Marshal(ask)
	if err != nil {
		return out, false, err
	}
	q := store.Question{ID: rand.Text(), Text: text}
	if err := store.Ask(path, q); err != nil {
		return out, false, err
	}
	// What was answered is gone, and nothing is left to withdraw.
	defer func() { _ = store.Withdraw(path, q.ID) }()
	late, retry := time.After(pruneWait), time.NewTicker(pruneRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return out, false, context.Cause(ctx)
		case <-late:
			return out, false, fmt.Errorf("repository folder %q: the chartserve that runs on it has not answered in %v (see its log and /status); nothing was asked for any more", path, pruneWait)
		case <-retry.C: // without an owner it has the question before it
			if out, err = pruneHere(ctx, path, ask, o); !errors.Is(err, store.ErrLocked) {
				return out, false, err
			}
		case <-time.After(pruneEvery):
		}
		text, err := store.Answered(path, q.ID)
		if err != nil {
			return out, false, err
		}
		if text != nil {
			err := json.Unmarshal(text, &out)
			return out, true, err
		}
	}
}

// pruneHere prunes the folder by itself. The error is store.ErrLocked while another has it.
func pruneHere(ctx context.Context, path string, ask Prune, o Options) (Pruned, error) {
	r, err := Open(path, o)
	if err != nil {
		return Pruned{}, err
	}
	defer func() {
		if err := r.Close(); err != nil {
			r.opts.Logger.Warn("the state could not be saved; the next start reads everything again", "error", err)
		}
	}()
	return r.Prune(ctx, ask)
}
