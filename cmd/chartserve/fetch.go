package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/Masterminds/semver/v3"
	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/repo"
)

// fetchFlags say whether dependencies are downloaded, and how the repositories that
// charts name are reached. Credentials go where the operator says, and not where a chart
// does.
type fetchFlags struct {
	clientFlags
	fetch        bool
	host         string
	repositories string
}

func (f *fetchFlags) register(cmd *cobra.Command) {
	defer titled(cmd.Flags(), downloadTitle)()
	f.registerFetch(cmd)
	cmd.Flags().StringVar(&f.host, "credentials-for", "", "`URL` of the repository, or of its host, that --username, --bearer-token-file and --cert-file are for when dependencies are downloaded")
	f.clientFlags.register(cmd, "the host of --credentials-for", ", with --credentials-for URL; --repositories FILE has those of several hosts")
}

// registerFetch adds the flags but those of credentials and their host.
func (f *fetchFlags) registerFetch(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, downloadTitle)()
	flags.BoolVar(&f.fetch, "fetch-dependencies", false, "download dependencies that are neither here nor vendored from the http, https and oci:// repositories they name")
	flags.StringVar(&f.repositories, "repositories", "", "`FILE` like mirror.yaml with the credentials of repositories that dependencies are downloaded from")
	_ = cmd.MarkFlagFilename("repositories", "yaml", "yml", "json")
}

// fetcher returns nil where nothing may be downloaded.
func (f *fetchFlags) fetcher(logger *slog.Logger) (repo.Fetcher, error) {
	if !f.fetch {
		return nil, nil
	}
	made := &fetcher{load: func() (*upstreams, error) { return f.load(logger) }}
	return made, made.reload()
}

// load reads the files that the flags name.
func (f *fetchFlags) load(logger *slog.Logger) (*upstreams, error) {
	var hosts []string
	switch {
	case f.host != "" && chart.OriginOf(f.host) == "":
		return nil, usagef("invalid value for --credentials-for: write the URL of a repository or its host, such as https://charts.example.com")
	case f.host != "":
		hosts = []string{f.host}
	case f.certFile != "":
		return nil, usagef("--cert-file needs --credentials-for URL: the host that it is for")
	}
	o, err := f.options(hosts, logger)
	if err != nil {
		return nil, err
	}
	return f.upstreams(hosts, f.repositories, o)
}

// fetcher is the repo.Fetcher that upstreams are.
type fetcher struct {
	load func() (*upstreams, error)
	to   atomic.Pointer[upstreams]
}

// reload reads files again that may have changed: tokens live for hours. After an error
// the fetcher is as it was.
func (f *fetcher) reload() error {
	u, err := f.load()
	if err == nil {
		f.to.Store(u)
	}
	return err
}

func (f *fetcher) Fetch(ctx context.Context, repository, name string, c *semver.Constraints) ([]byte, error) {
	return f.to.Load().at(repository, name).Fetch(ctx, repository, name, c)
}
