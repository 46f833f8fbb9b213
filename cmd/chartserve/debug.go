package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// What one may write for addresses that are beside the repository's.
const (
	debugExample   = "localhost:6060"
	metricsExample = "localhost:9879"
)

// listenDebug opens the debug address; an empty one returns nil.
func listenDebug(ctx context.Context, address string) (net.Listener, error) {
	l, err := listenBeside(ctx, "--debug-address", address, debugExample)
	if l == nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		l.Close()
		return nil, usagef("--debug-address %s is not a loopback address: write localhost:PORT", address)
	}
	return l, nil
}

// listenBeside opens an address for something that is not of the repository; an empty one
// returns nil.
func listenBeside(ctx context.Context, flag, address, example string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	if err := checkBeside(flag, address, example); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (name a free port of this machine, such as %s)", flag, err, example)
	}
	return l, nil
}

// checkBeside refuses what is no address, and opens nothing.
func checkBeside(flag, address, example string) error {
	if _, _, err := net.SplitHostPort(address); err != nil && address != "" {
		return usagef("invalid value %q for %s: write HOST:PORT, such as %s", address, flag, example)
	}
	return nil
}

// profiles are Go's, for this host alone: they tell more than the outside should know.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// besideServer bounds what a client may take: one that reads no answer would keep one of
// the few scrapes that are made at once. Profiles may take nearly so long.
func besideServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
}

// serveBeside answers with h on l until ctx ends. A nil l is none.
func serveBeside(ctx context.Context, l net.Listener, h http.Handler) error {
	if l == nil {
		return nil
	}
	server := besideServer(h)
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}
