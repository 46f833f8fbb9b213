package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/access"
	"chartserve/internal/httpapi"
	"chartserve/internal/listen"
	"chartserve/internal/reload"
	"chartserve/internal/repo"
	"chartserve/internal/repos"
)

// shutdownTime bounds how long requests in flight are waited for.
const shutdownTime = 10 * time.Second

// follower has what is read from files read again: certificates and access rules when they
// change, and all of it at SIGHUP. certs, guard and trusted may be nil.
func follower(certs *listen.Certificates, guard *access.Guard, o repo.Options, trusted repo.Trust) *reload.Follower {
	var all []reload.Source
	if certs != nil {
		all = append(all, certs.Source())
	}
	if guard != nil {
		all = append(all, guard.Source())
	}
	if f, ok := o.Fetcher.(*fetcher); ok {
		all = append(all, reload.Source{Load: f.reload, Kept: "downloads go on with the credentials that they had"})
	}
	if s, ok := o.Signer.(*signing); ok {
		all = append(all, reload.Source{Load: s.reload, Kept: "archives are signed with the key that was read before"})
	}
	if t, ok := trusted.(*trust); ok {
		all = append(all, reload.Source{Load: t.reload, Kept: "signatures are verified with the keys that were read before"})
	}
	return reload.New(o.Logger, all...)
}

// session is one run of the server.
type session struct {
	repos     *repos.Set
	listeners *listen.Listeners
	server    *httpapi.Server
	logger    *slog.Logger
	files     *reload.Follower
	settings  startFile
	*instruments
}

// run serves until ctx ends or something fails. served is called once the first
// complete index is served.
func (s *session) run(ctx context.Context, served func(context.Context) error) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	g, ctx := errgroup.WithContext(ctx)
	for l, secure := range s.listeners.All() {
		g.Go(func() error {
			if err := s.server.Serve(l, secure); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error { return s.repos.Run(ctx) })
	g.Go(func() error {
		s.files.Run(ctx)
		return nil
	})
	g.Go(func() error {
		holdMemory(ctx, s.repos.Ready())
		return nil
	})
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-again:
				s.rescan()
			}
		}
	})
	g.Go(func() error { return s.serve(ctx) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.repos.Ready():
			return served(ctx)
		}
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.shutdown()
	})
	return g.Wait()
}

// rescan reads files again, opens the access log's, and has everything looked at again.
func (s *session) rescan() {
	select {
	case <-s.repos.Ready():
		listen.NotifyReloading(s.logger)
		defer listen.Notify(s.logger, listen.ServiceReady)
	default: // it is not up yet
	}
	s.files.Reload()
	s.settings.warn(s.logger)
	s.access.reopen()
	s.logger.Info("looking at everything again")
	s.repos.Rescan()
}

// shutdown lets requests in flight finish, for a while.
func (s *session) shutdown() error {
	s.logger.Info("stopping")
	listen.Notify(s.logger, listen.ServiceStopping)
	// The context that ended is why we are here; this one is for the rest.
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		s.logger.Warn("requests in flight were cut off", "after", shutdownTime)
		s.server.Close()
	}
	return nil
}
