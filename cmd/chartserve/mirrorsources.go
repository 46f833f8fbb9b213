package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"chartserve/internal/airgap/mirror"
	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// mirrorSources are the sources of a mirror and the clients that reach them.
type mirrorSources struct {
	sources []mirror.Source
	client  *remote.Client // for those that have none of their own, and dependencies
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

// add makes a client for one source.
func (s *mirrorSources) add(o remote.Options) (*remote.Client, error) {
	c, err := remote.New(o)
	if err == nil {
		s.own = append(s.own, c)
	}
	return c, err
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
	list, logins, err := f.listed()
	if err != nil {
		return nil, err
	}
	// Each goes to its origin alone, whichever client meets that: the archives of a
	// repository may be on the host of another one.
	o.Logins = append(o.Logins, logins...)
	set := &mirrorSources{}
	for _, a := range args {
		set.sources = append(set.sources, mirror.Source{Address: a, Filter: filter, WithDependencies: f.deps, Anywhere: true})
	}
	if err := f.clients(set, o); err != nil {
		return nil, err
	}
	return set, f.addListed(set, list, o)
}

// clients makes those of the command line's sources and of dependencies. A client
// certificate is not for the hosts of the latter.
func (f *mirrorFlags) clients(set *mirrorSources, o remote.Options) (err error) {
	if f.certFile != "" {
		c, err := set.add(o)
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
	if set.client, err = remote.New(o); err != nil {
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

// listed are the repositories of --from, and the credentials for them.
func (f *mirrorFlags) listed() ([]mirror.Repository, []remote.Login, error) {
	if f.from == "" {
		return nil, nil, nil
	}
	file, err := os.Open(f.from)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMirrorFile+1))
	if err != nil {
		return nil, nil, err
	}
	c, err := mirror.ParseConfig(f.from, data)
	if err != nil {
		return nil, nil, usageError{err}
	}
	var logins []remote.Login
	for i := range c.Repositories {
		l, err := loginFor(&c.Repositories[i])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: repositories[%d].%w", f.from, i, err)
		}
		if l != nil {
			logins = append(logins, *l)
		}
	}
	return c.Repositories, logins, nil
}

// loginFor reads the credentials of a repository from the environment; nil: it
// needs none.
func loginFor(r *mirror.Repository) (*remote.Login, error) {
	if r.UsernameEnv+r.TokenEnv == "" {
		return nil, nil
	}
	s, err := r.Source()
	if err != nil {
		return nil, err
	}
	l := &remote.Login{Origin: chart.OriginOf(s.Address)}
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
	}
	return l, nil
}

// addListed adds the sources of --from. Filters on the command line are not for
// them.
func (f *mirrorFlags) addListed(set *mirrorSources, list []mirror.Repository, o remote.Options) error {
	for i := range list {
		r := &list[i]
		s, err := r.Source()
		if err != nil {
			return usageError{err}
		}
		s.WithDependencies = s.WithDependencies || f.deps
		own, needed, err := f.ownOptions(r, o)
		if err == nil && needed {
			s.Client, err = set.add(own)
		}
		if err != nil {
			return fmt.Errorf("%s: repositories[%d]: %w", f.from, i, err)
		}
		set.sources = append(set.sources, s)
	}
	return nil
}

// ownOptions are those of a repository that is reached in a way of its own.
func (f *mirrorFlags) ownOptions(r *mirror.Repository, o remote.Options) (remote.Options, bool, error) {
	if r.UsernameEnv+r.TokenEnv+r.CAFile+r.CertFile == "" && !r.PlainHTTP {
		return o, false, nil
	}
	l, err := loginFor(r)
	if err != nil {
		return o, true, err
	}
	if l != nil { // two repositories on one host may have two users
		o.Logins = append([]remote.Login{*l}, o.Logins...)
	}
	o.PlainHTTP = o.PlainHTTP || r.PlainHTTP
	ca := r.CAFile
	if ca == "" {
		ca = f.caFile
	}
	o.TLS = nil
	if ca+r.CertFile != "" {
		o.TLS, err = remote.LoadTLS(ca, r.CertFile, r.KeyFile)
	}
	return o, true, err
}
