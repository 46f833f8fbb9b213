package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"chartserve/internal/httpapi"
	"chartserve/internal/metrics"
	"chartserve/internal/repo"
)

// instruments are what an operator sees a server by: profiles, metrics, the access log.
type instruments struct {
	debug, metrics net.Listener     // nil: none
	counted        *metrics.Metrics // nil: nothing is counted
	scrape         http.Handler     // of the metrics, where something is counted
	access         *accessLog
}

// instruments opens those that the flags name.
func (f *serveFlags) instruments(cmd *cobra.Command, o *repo.Options) (i *instruments, err error) {
	i = &instruments{access: &accessLog{}}
	defer func() {
		if err != nil {
			i.close()
		}
	}()
	if i.debug, err = listenDebug(cmd.Context(), f.debug); err != nil {
		return i, err
	}
	if i.metrics, err = listenBeside(cmd.Context(), "--metrics-address", f.metricsAddress, metricsExample); err != nil {
		return i, err
	}
	if f.enableMetrics || i.metrics != nil {
		i.counted = metrics.New(programVersion())
		i.scrape = i.counted.Handler(o.Logger)
		o.Observer = i.counted
	}
	if i.metrics != nil {
		o.Logger.Info("metrics have an address of their own", "url", fmt.Sprintf("http://%s/metrics", i.metrics.Addr()))
	}
	i.access, err = f.access.open(cmd, o.Logger)
	return i, err
}

func (i *instruments) close() {
	for _, l := range []net.Listener{i.debug, i.metrics} {
		if l != nil {
			l.Close()
		}
	}
	i.access.close()
}

// see has requests counted and logged, and with enable the metrics answered at /metrics.
func (i *instruments) see(o *httpapi.Options, enable bool) {
	o.AccessLog = i.access.write
	if i.counted != nil {
		o.Observer = i.counted
	}
	if enable {
		o.Metrics = i.scrape
	}
}

// hold adds to the metrics what the repository of that name holds.
func (i *instruments) hold(name string, r *repo.Repository) {
	if i.counted != nil {
		i.counted.Repository(name, r.View)
	}
}

// show adds to the metrics who is connected to s.
func (i *instruments) show(s *httpapi.Server) {
	if i.counted != nil {
		i.counted.Connections(s.Connections)
	}
}

// serve answers on the listeners until ctx ends.
func (i *instruments) serve(ctx context.Context) error {
	mux := http.NewServeMux()
	if i.metrics != nil {
		mux.Handle("GET /metrics", i.scrape)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serveBeside(ctx, i.debug, profiles()) })
	g.Go(func() error { return serveBeside(ctx, i.metrics, mux) })
	return g.Wait()
}
