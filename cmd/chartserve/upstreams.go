package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"chartserve/internal/airgap/mirror"
	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// upstreams are other repositories and the clients that reach them.
type upstreams struct {
	// sources are the addresses of a command line, then those of a mirror.yaml.
	sources []mirror.Source
	client  *remote.Client // for what has none of its own
	all     []*remote.Client
}

// requests counts those of all clients.
func (u *upstreams) requests() (n int64) {
	for _, c := range u.all {
		n += c.Requests()
	}
	return n
}

func (u *upstreams) newClient(o remote.Options) (*remote.Client, error) {
	c, err := remote.New(o)
	u.all = append(u.all, c)
	return c, err
}

// at returns the client for a chart of a repository.
func (u *upstreams) at(repository, chartName string) *remote.Client {
	return cmp.Or(mirror.ClientFor(u.sources, strings.TrimRight(repository, "/")+"/"+chartName), u.client)
}

// upstreams returns those of addresses, from the command line, and of the mirror.yaml
// at from, unless that is empty.
func (f *clientFlags) upstreams(addresses []string, from string, o remote.Options) (*upstreams, error) {
	list := new(mirror.Config)
	if from != "" {
		var err error
		if list, err = mirror.ReadConfig(from); errors.Is(err, mirror.ErrConfig) {
			err = usageError{err}
		}
		if err != nil {
			return nil, err
		}
	}
	logins := make([][]remote.Login, len(list.Repositories))
	for i := range logins {
		var err error
		if logins[i], err = readLogin(&list.Repositories[i]); err != nil {
			return nil, fmt.Errorf("%s: repositories[%d].%w", from, i, err)
		}
	}
	// Each goes to its origin alone, whichever client meets that: the archives of a
	// repository may be on the host of another one.
	o.Logins = append(o.Logins, slices.Concat(logins...)...)
	u := &upstreams{}
	for _, a := range addresses {
		u.sources = append(u.sources, mirror.Source{Address: a})
	}
	if err := f.clients(u, o); err != nil {
		return nil, err
	}
	for i := range list.Repositories {
		s, err := f.listed(u, &list.Repositories[i], logins[i], o)
		if err != nil {
			return nil, fmt.Errorf("%s: repositories[%d]: %w", from, i, err)
		}
		u.sources = append(u.sources, s)
	}
	return u, nil
}

// clients makes those of the command line's addresses and of all that is not listed. A
// client certificate is not for the latter.
func (f *clientFlags) clients(u *upstreams, o remote.Options) (err error) {
	if f.certFile != "" {
		c, err := u.newClient(o)
		if err != nil {
			return usageError{err}
		}
		for i := range u.sources {
			u.sources[i].Client = c
		}
		if o.TLS, err = remote.LoadTLS(f.caFile, "", ""); err != nil {
			return err
		}
	}
	if u.client, err = u.newClient(o); err != nil {
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

// listed returns a repository of a mirror.yaml, with a client where it is reached in a
// way of its own.
func (f *clientFlags) listed(u *upstreams, r *mirror.Repository, logins []remote.Login, o remote.Options) (mirror.Source, error) {
	s, err := r.Source()
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
	s.Client, err = u.newClient(o)
	return s, err
}
