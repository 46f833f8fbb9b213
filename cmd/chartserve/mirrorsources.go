package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"chartserve/internal/mirror"
	"chartserve/internal/remote"
)

// mirrorSources are the sources of a mirror and the clients that reach them.
type mirrorSources struct {
	sources []mirror.Source
	client  *remote.Client // for those that have none of their own
	own     []*remote.Client
}

// requests counts those of all clients.
func (s *mirrorSources) requests() int64 {
	n := s.client.Requests()
	for _, c := range s.own {
		n += c.Requests()
	}
	return n
}

// sources are those on the command line, then those of --from.
func (f *mirrorFlags) sources(args []string, logger *slog.Logger, m *meter) (*mirrorSources, error) {
	filter, err := f.filter()
	if err != nil {
		return nil, err
	}
	o, err := f.clientFlags.options(args, logger)
	if err != nil {
		return nil, err
	}
	o.Progress = m.add
	set := &mirrorSources{}
	if set.client, err = remote.New(o); err != nil {
		return nil, usageError{err}
	}
	for _, a := range args {
		set.sources = append(set.sources, mirror.Source{Address: a, Filter: filter, WithDependencies: f.deps, Anywhere: true})
	}
	if f.from == "" {
		return set, nil
	}
	o.Logins, o.TLS, o.PlainHTTP = nil, nil, false
	return set, f.listed(set, o)
}

func (f *mirrorFlags) filter() (mirror.Filter, error) {
	filter := mirror.Filter{Exclude: f.exclude, Latest: f.latest, Devel: f.devel}
	for _, text := range f.charts {
		p, err := mirror.ParsePick(text)
		if err != nil {
			return filter, usagef("invalid value %q for --chart: %w", text, err)
		}
		filter.Charts = append(filter.Charts, p)
	}
	if f.since != "" {
		t, err := mirror.ParseSince(f.since)
		if err != nil {
			return filter, usagef("invalid value %q for --since: %w", f.since, err)
		}
		filter.Since = t
	}
	if err := filter.Check(); err != nil {
		return filter, usageError{err}
	}
	return filter, nil
}

// maxMirrorFile bounds a mirror.yaml, in bytes.
const maxMirrorFile = 4 << 20

// listed adds the sources of --from. Filters on the command line are not for them.
func (f *mirrorFlags) listed(set *mirrorSources, o remote.Options) error {
	file, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMirrorFile+1))
	if err != nil {
		return err
	}
	c, err := mirror.ParseConfig(f.from, data)
	if err != nil {
		return usageError{err}
	}
	for i := range c.Repositories {
		r := &c.Repositories[i]
		s, err := r.Source()
		if err != nil {
			return usageError{err}
		}
		s.WithDependencies = s.WithDependencies || f.deps
		client, err := f.clientFor(r, s, o)
		if err != nil {
			return fmt.Errorf("%s: repositories[%d]: %w", f.from, i, err)
		}
		if client != nil {
			s.Upstream = client
			set.own = append(set.own, client)
		}
		set.sources = append(set.sources, s)
	}
	return nil
}

// clientFor is the client of a repository that is reached in a way of its own; nil:
// it needs none.
func (f *mirrorFlags) clientFor(r *mirror.Repository, s mirror.Source, o remote.Options) (*remote.Client, error) {
	if r.UsernameEnv+r.TokenEnv+r.CAFile+r.CertFile == "" && !r.PlainHTTP {
		return nil, nil
	}
	l := remote.Login{Origin: originOf(s.Address)}
	for _, v := range []struct {
		field, name string
		to          *string
	}{
		{"usernameEnv", r.UsernameEnv, &l.Username},
		{"passwordEnv", r.PasswordEnv, &l.Password},
		{"tokenEnv", r.TokenEnv, &l.Bearer},
	} {
		if v.name == "" {
			continue
		}
		if *v.to = os.Getenv(v.name); *v.to == "" {
			return nil, fmt.Errorf("%s: the environment variable %s is not set", v.field, v.name)
		}
		o.Logins = []remote.Login{l}
	}
	if r.CAFile+r.CertFile != "" {
		var err error
		if o.TLS, err = remote.LoadTLS(r.CAFile, r.CertFile, r.KeyFile, false); err != nil {
			return nil, err
		}
	}
	o.PlainHTTP = r.PlainHTTP
	return remote.New(o)
}
