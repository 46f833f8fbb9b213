package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

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
	filter, err := f.Filter()
	if bad := new(chart.Error); errors.As(err, &bad) {
		field, _, _ := strings.Cut(bad.Field, "[")
		return nil, usagef("invalid value %q for --%s: %w", bad.Value, strings.TrimSuffix(field, "s"), bad.Err)
	}
	o, err := f.clientFlags.options(args, logger)
	if err != nil {
		return nil, err
	}
	o.Progress = m.add
	list := new(mirror.Config)
	if f.from != "" {
		if list, err = mirror.ReadConfig(f.from); errors.Is(err, mirror.ErrConfig) {
			err = usageError{err}
		}
		if err != nil {
			return nil, err
		}
	}
	logins := make([][]remote.Login, len(list.Repositories))
	for i := range logins {
		if logins[i], err = readLogin(&list.Repositories[i]); err != nil {
			return nil, fmt.Errorf("%s: repositories[%d].%w", f.from, i, err)
		}
	}
	// Each goes to its origin alone, whichever client meets that: the archives of a
	// repository may be on the host of another one.
	o.Logins = append(o.Logins, slices.Concat(logins...)...)
	set := &mirrorSources{}
	for _, a := range args {
		set.sources = append(set.sources, mirror.Source{Address: a, Filter: filter, WithDependencies: f.deps, Anywhere: true})
	}
	if err := f.clients(set, o); err != nil {
		return nil, err
	}
	for i := range list.Repositories {
		s, err := f.listed(set, &list.Repositories[i], logins[i], o)
		if err != nil {
			return nil, fmt.Errorf("%s: repositories[%d]: %w", f.from, i, err)
		}
		set.sources = append(set.sources, s)
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

// readLogin reads the credentials of a repository from the environment.
func readLogin(r *mirror.Repository) ([]remote.Login, error) {
	if r.UsernameEnv+r.TokenEnv == "" {
		return nil, nil
	}
	l := remote.Login{Origin: chart.OriginOf(cmp.Or(r.URL, r.OCI, r.Path))}
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
	return []remote.Login{l}, nil
}

// listed returns a source of --from, with a client where it is reached in a way of its
// own.
func (f *mirrorFlags) listed(set *mirrorSources, r *mirror.Repository, logins []remote.Login, o remote.Options) (mirror.Source, error) {
	s, err := r.Source()
	s.WithDependencies = s.WithDependencies || f.deps
	if err != nil || len(logins) == 0 && r.CAFile+r.CertFile == "" && !r.PlainHTTP {
		return s, err
	}
	o.Logins = slices.Concat(logins, o.Logins) // two repositories on one host may have two users
	o.PlainHTTP = o.PlainHTTP || r.PlainHTTP
	o.TLS = nil
	if ca := cmp.Or(r.CAFile, f.caFile); ca+r.CertFile != "" {
		if o.TLS, err = remote.LoadTLS(ca, r.CertFile, r.KeyFile); err != nil {
			return s, err
		}
	}
	s.Client, err = set.newClient(o)
	return s, err
}
