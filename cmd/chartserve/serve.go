package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"chartserve/internal/httpapi"
	"chartserve/internal/repo"
)

// shutdownTime bounds how long requests in flight are waited for.
const shutdownTime = 10 * time.Second

// serveFlags are those of repoFlags and how the repository is served.
type serveFlags struct {
	repoFlags
	address     string
	contextPath string
	poll        time.Duration
	ready       readyFile
	accessLog   bool
	debug       string
}

// newServe is the serve command; the root is made of one too.
func newServe() *cobra.Command {
	f := new(serveFlags)
	cmd := &cobra.Command{
		Use:               "serve [SOURCE...]",
		Short:             "Serve the charts of SOURCE directories as a live Helm repository",
		Long:              serveLong,
		Example:           serveExample,
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.serve(cmd, args)
		},
	}
	f.repoFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.address, "address", "localhost:8879", "`HOST:PORT` to listen on; :8879 is every interface, port 0 picks a free one")
	flags.StringVar(&f.contextPath, "context-path", "/charts", "`PATH` in URLs below which the repository is served")
	flags.DurationVar(&f.poll, "poll", 0, "look for changes each `DURATION`, such as 2s, for file systems that send no events")
	flags.BoolVar(&f.accessLog, "access-log", false, "log each request")
	flags.StringVar(&f.debug, "debug-address", "", "loopback `HOST:PORT` for Go's profiles (/debug/pprof), such as localhost:6060; off without it")
	flags.StringVar(&f.ready.path, "ready-file", "", "`FILE` to write the repository's URL to once the first complete index is served; removed at the end")
	return cmd
}

// serve listens first, so that a second server fails before it touches anything,
// then opens the repository and serves it until ctx ends.
func (f *serveFlags) serve(cmd *cobra.Command, args []string) error {
	ctx, start := cmd.Context(), time.Now()
	defer setGarbage(startGarbage)()
	o, err := f.options(cmd, args)
	if err != nil {
		return err
	}
	if err := checkPoll(f.poll); err != nil {
		return err
	}
	contextPath := "/" + strings.Trim(f.contextPath, "/")
	l, err := listen(ctx, f.address)
	if err != nil {
		return err
	}
	defer l.close()
	debug, err := listenDebug(ctx, f.debug)
	if err != nil {
		return err
	}
	defer debug.close()
	if err := f.ready.clear(); err != nil {
		return err
	}
	o.Poll, o.Output = f.poll, outputs(false, f.ready.path)
	o.OwnURLs = append(o.OwnURLs, l.ownURLs(contextPath)...)
	r, err := repo.Open(f.path, o)
	if err != nil {
		return err
	}
	defer closeRepo(r, o.Logger)
	h, err := httpapi.New(r, httpapi.Options{
		ContextPath: contextPath, URL: f.url, Address: l.baseURL(contextPath), Logger: o.Logger, AccessLog: f.accessLog,
	})
	if err != nil {
		return usageError{err}
	}
	s := &session{repo: r, listeners: l, server: httpapi.NewServer(h, o.Logger), debug: debug, ready: f.ready, logger: o.Logger,
		base: l.baseURL(contextPath), fetcher: o.Fetcher}
	return s.run(ctx, func() {
		a := announcement{status: r.Status(), from: origin(o.Sources, f.path), took: time.Since(start), base: s.base, remote: f.url}
		if a.remote == "" {
			a.remote = l.remoteURL(contextPath)
		}
		a.write(cmd.OutOrStdout())
	})
}

// session is one run of the server.
type session struct {
	repo      *repo.Repository
	listeners *listeners
	server    *httpapi.Server
	debug     *debugServer
	ready     readyFile
	logger    *slog.Logger
	base      string
	fetcher   repo.Fetcher // nil: nothing is downloaded
}

// run serves until ctx ends or something fails. announce is called once, when
// the first complete index is served.
func (s *session) run(ctx context.Context, announce func()) error {
	s.logger.Info("listening; reading the charts", "url", s.base)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range s.listeners.all {
		g.Go(func() error {
			if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error { return s.repo.Run(ctx) })
	g.Go(func() error {
		holdMemory(ctx, s.repo.Ready())
		return nil
	})
	g.Go(func() error {
		s.rescan(ctx, again)
		return nil
	})
	g.Go(func() error { return s.debug.run(ctx) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.repo.Ready():
		}
		announce()
		if err := s.ready.write(s.base); err != nil {
			return err
		}
		<-ctx.Done()
		s.ready.remove(s.base)
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.shutdown()
	})
	return g.Wait()
}

// rescan has everything looked at again at each signal, until ctx ends.
func (s *session) rescan(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			s.logger.Info("looking at everything again")
			if f, ok := s.fetcher.(*fetcher); ok {
				if err := f.reload(); err != nil {
					s.logger.Error("downloads go on with the credentials that they had", "error", err)
				}
			}
			s.repo.Rescan()
		}
	}
}

// shutdown lets requests in flight finish, for a while.
func (s *session) shutdown() error {
	s.logger.Info("stopping")
	// The context that ended is why we are here; this one is for the rest.
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		s.logger.Warn("requests in flight were cut off", "after", shutdownTime)
		s.server.Close()
	}
	return nil
}

// announcement is what a person reads once the repository is served.
type announcement struct {
	status       repo.Status
	from         string
	took         time.Duration
	base, remote string
}

func (a announcement) write(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "Serving %s from %s in %s\n", counts(a.status), a.from, seconds(a.took))
	if bad := len(a.status.Failures); bad > 0 {
		fmt.Fprintf(&b, "%s could not be published: the log, the page and /status have the reasons\n", plural(bad, "chart"))
	}
	writeHint(&b, a.status, a.from)
	fmt.Fprintf(&b, "%s\n\n  helm repo add local %s\n", a.base, a.base)
	if a.remote != "" {
		fmt.Fprintf(&b, "\nFrom other hosts:\n\n  helm repo add local %s\n", a.remote)
	}
	// A reader that has gone away is no reason to stop serving.
	_, _ = io.WriteString(w, b.String())
}

const serveLong = `Serve finds the charts below each SOURCE (a directory or a glob, by default the
working directory), packages them, serves them as a Helm repository, and keeps
that equal to the SOURCEs while they change. A chart that can't be packaged keeps
its last good archive; its reason is in the log, in /status and on the repository's
page.

Without a SOURCE but with --repo-path, the archives in that folder are served, as
helm serve --repo-path did. The folder is locked while it is served.

For localhost it listens on 127.0.0.1 and on ::1. There is no login: --address
:8879 lets the whole network read the charts.

/healthz answers while the server is alive, /readyz once the first index is
complete, /status tells as JSON what is served and what failed. SIGHUP has
everything looked at again, and the files that hold credentials for downloads.
SIGINT or SIGTERM stops it once the requests in flight are answered, a second one
at once.`

const serveExample = `  # Serve the charts below the working directory
  chartserve serve

  # Serve two trees to the whole network, below another path
  chartserve serve --address :8879 --context-path /helm openstack-helm openstack-helm-infra

  # Serve a folder of archives
  chartserve serve --repo-path ./archives

  # In a script: any free port, and wait for the first complete index
  chartserve serve --address localhost:0 --ready-file url.txt charts &
  until test -f url.txt; do sleep 0.1; done
  helm repo add local "$(cat url.txt)"`
