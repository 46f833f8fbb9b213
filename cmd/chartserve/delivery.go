package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"chartserve/internal/inbox"
	"chartserve/internal/repo"
)

// How long a running chartserve may take to publish a delivery before the command
// stops to wait for it, and how often it is looked after.
const (
	takeInWait  = 2 * time.Minute
	takeInEvery = 50 * time.Millisecond
)

// takeIn has a delivery that waits in the repository folder published: by the
// chartserve that runs on the folder, else by a build of our own. It says on stdout
// what was done.
func takeIn(ctx context.Context, folder string, o repo.Options, stdout io.Writer) error {
	r, err := repo.Open(folder, o)
	if errors.Is(err, repo.ErrLocked) {
		return awaitTaken(ctx, folder, stdout)
	}
	if err != nil {
		return err
	}
	defer closeRepo(r, o.Logger)
	if err := r.Build(ctx); err != nil {
		return err
	}
	st := r.Status()
	if _, err := fmt.Fprintf(stdout, "%s has %s now: chartserve --repo-path %s serves it\n", folder, counts(st), folder); err != nil {
		return err
	}
	writeFailures(stdout, st.Failures)
	return nil
}

// awaitTaken waits until the chartserve on the folder has published what waits.
func awaitTaken(ctx context.Context, folder string, stdout io.Writer) error {
	late := time.After(takeInWait)
	for inbox.IsWaiting(folder) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late:
			return fmt.Errorf("repository folder %q: the chartserve that runs on it has not published the delivery in %v (see its log and /status; what was delivered waits there and is not lost)", folder, takeInWait)
		case <-time.After(takeInEvery):
		}
	}
	_, err := fmt.Fprintf(stdout, "The chartserve that runs on %s has published it\n", folder)
	return err
}
