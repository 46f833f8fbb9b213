package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/index"
	"chartserve/internal/repo"
	"chartserve/internal/store"
)

// deliveryFlags say what the index of a folder that gets a delivery is like, where
// no chartserve runs on it that knows better.
type deliveryFlags struct {
	logFlags
	limitFlags
	rewriteFlags
	path   string
	url    string
	format choice
}

// register adds the flags but --jobs; what says what is done to the folder.
func (f *deliveryFlags) register(cmd *cobra.Command, what string) {
	f.logFlags.register(cmd)
	flags := cmd.Flags()
	f.registerSizes(flags)
	flags.StringVar(&f.path, "repo-path", store.DefaultFolder, "repository folder: the `DIR` to "+what)
	_ = cmd.MarkFlagDirname("repo-path")
	flags.StringVar(&f.url, "url", "", "`URL` prefix of the archives in the index; relative URLs without it")
	registerFormat(cmd, &f.format)
	f.rewriteFlags.register(flags, "in the index (archives stay as they are)")
}

// options are for the repository that takes the delivery in.
func (f *deliveryFlags) options(stderr io.Writer) (repo.Options, error) {
	rewrites, err := f.rewrites()
	logger := f.logger(stderr)
	return repo.Options{
		URL: f.url, IndexFormat: index.Format(f.format.value), Rewrite: rewrites, Limits: f.limits(),
		Version: programVersion(), Logger: logger, Progress: newProgress(stderr, logger).step,
	}, err
}

// prepare has a delivery published that an interrupted command has left in the
// folder: it may be what is to be delivered now.
func (f *deliveryFlags) prepare(cmd *cobra.Command, o repo.Options) error {
	if !store.Waiting(f.path) {
		return nil
	}
	return f.takeIn(cmd, o)
}

// How long a running chartserve may take to publish a delivery before the command
// stops to wait for it, and how often it is looked after.
const (
	takeInWait  = 2 * time.Minute
	takeInEvery = 50 * time.Millisecond
)

// takeIn has a delivery that waits in the repository folder published: by the
// chartserve that runs on the folder, else by a build of our own. It says on stdout
// what was done, and on stderr what of the folder could not be published.
func (f *deliveryFlags) takeIn(cmd *cobra.Command, o repo.Options) error {
	start := time.Now()
	r, err := repo.Open(f.path, o)
	if errors.Is(err, store.ErrLocked) {
		return f.awaitTaken(cmd.Context(), cmd.OutOrStdout())
	}
	if err != nil {
		return err
	}
	defer closeRepo(r, o.Logger)
	if err := r.Build(cmd.Context()); err != nil {
		return err
	}
	st := r.Status()
	text := fmt.Sprintf("%s has %s now: chartserve --repo-path %s serves it\n", f.path, counts(st), f.path)
	err = f.say(cmd.OutOrStdout(), text, "published", append(record(st, time.Since(start)), "repository", f.path)...)
	f.sayFailures(cmd.ErrOrStderr(), st.Failures, "")
	return err
}

// awaitTaken waits until the chartserve on the folder has published what waits.
func (f *deliveryFlags) awaitTaken(ctx context.Context, stdout io.Writer) error {
	late := time.After(takeInWait)
	for store.Waiting(f.path) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late:
			return fmt.Errorf("repository folder %q: the chartserve that runs on it has not published the delivery in %v (see its log and /status; what was delivered waits there and is not lost)", f.path, takeInWait)
		case <-time.After(takeInEvery):
		}
	}
	text := fmt.Sprintf("The chartserve that runs on %s has published it\n", f.path)
	return f.say(stdout, text, "published by the chartserve that runs on the folder", "repository", f.path)
}
