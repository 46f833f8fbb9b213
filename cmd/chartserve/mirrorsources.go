package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"chartserve/internal/airgap/mirror"
	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// mirrorSources are the sources of a mirror and the clients that reach them.
type mirrorSources struct {
	sources []mirror.Source
	client  *remote.Client // for sources that have none of their own, and dependencies
	all     []*remote.Client
}

// requests counts those of all clients.
func (s *mirrorSources) requests() (n int64) {
	for _, c := range s.all {
		n += c.Requests()
	}
	return n
}

func (s *mirrorSources) newClient(o remote.Options) (*remote.Client, error) {
	c, err := remote.New(o)
	s.all = append(s.all, c)
	return c, err
}

// sources are those on the command line, then those of --from, for which the filters
// on the command line are not.
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
	list, err := f.listed()
	if err != nil {
		return nil, err
	}
	// Each goes to its origin alone, whichever client meets that: the archives of a
	// repository may be on the host of another one.
	for _, l := range list {
		o.Logins = append(o.Logins, l.logins...)
	}
	set := &mirrorSources{}
	for _, a := range args {
		set.sources = append(set.sources, mirror.Source{Address: a, Filter: filter, WithDependencies: f.deps, Anywhere: true})
	}
	if err := f.clients(set, o); err != nil {
		return nil, err
	}
	for i, l := range list {
		own, needed, err := f.ownOptions(l, o)
		if err == nil && needed {
			l.source.Client, err = set.newClient(own)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: repositories[%d]: %w", f.from, i, err)
		}
		set.sources = append(set.sources, l.source)
	}
	return set, nil
}

// clients makes those of the command line's sources and of dependencies. A client
// certificate is not for the hosts of the latter.
func (f *mirrorFlags) clients(set *mirrorSources, o remote.Options) (err error) {
	if f.certFile != "" {
		c, err := set.newClient(o)
		if err != nil {
			return usageError{err}
		}
		for i := range set.sources {
			set.sources[i].Client = c
		}
		if o.TLS, err = remote.LoadTLS(f.caFile, "", ""); err != nil {
			return err
		}
	}
	if set.client, err = set.newClient(o); err != nil {
		return usageError{err}
	}
	return nil
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

// listed is a repository of --from.
type listed struct {
	mirror.Repository
	source mirror.Source
	logins []remote.Login // at most one
}

func (f *mirrorFlags) listed() ([]listed, error) {
	if f.from == "" {
		return nil, nil
	}
	file, err := os.Open(f.from)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMirrorFile+1))
	if err != nil {
		return nil, err
	}
	c, err := mirror.ParseConfig(f.from, data)
	if err != nil {
		return nil, usageError{err}
	}
	list := make([]listed, len(c.Repositories))
	for i, r := range c.Repositories {
		l := listed{Repository: r}
		if l.source, err = r.Source(); err == nil {
			err = l.readLogin()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: repositories[%d].%w", f.from, i, err)
		}
		l.source.WithDependencies = l.source.WithDependencies || f.deps
		list[i] = l
	}
	return list, nil
}

// readLogin reads the credentials of a repository from the environment.
func (r *listed) readLogin() error {
	if r.UsernameEnv+r.TokenEnv == "" {
		return nil
	}
	l := remote.Login{Origin: chart.OriginOf(r.source.Address)}
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
			return fmt.Errorf("%s: the environment variable %s is not set", v.field, v.name)
		}
	}
	r.logins = []remote.Login{l}
	return nil
}

// ownOptions are those of a repository that is reached in a way of its own.
func (f *mirrorFlags) ownOptions(r listed, o remote.Options) (own remote.Options, needed bool, err error) {
	if len(r.logins) == 0 && r.CAFile+r.CertFile == "" && !r.PlainHTTP {
		return o, false, nil
	}
	o.Logins = slices.Concat(r.logins, o.Logins) // two repositories on one host may have two users
	o.PlainHTTP = o.PlainHTTP || r.PlainHTTP
	o.TLS = nil
	if ca := cmp.Or(r.CAFile, f.caFile); ca+r.CertFile != "" {
		o.TLS, err = remote.LoadTLS(ca, r.CertFile, r.KeyFile)
	}
	return o, true, err
}
