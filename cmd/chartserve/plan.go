package main

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/httpapi"
	"chartserve/internal/listen"
	"chartserve/internal/repo"
	"chartserve/internal/repos"
)

// plan is what the flags of a server say.
type plan struct {
	root         repo.Options // of the root repository
	repositories repos.Options
	http         httpapi.Options
	certificates *listen.Certificates // nil: there is no HTTPS
	contextPath  string
}

// plan reads the files that the flags name, and checks that the flags fit together. It opens
// no port and writes nothing. Only what depends on the machine can fail later.
func (f *serveFlags) plan(cmd *cobra.Command, args []string) (p *plan, err error) {
	p = &plan{contextPath: "/" + strings.Trim(f.contextPath, "/")}
	if p.root, err = f.options(cmd, args); err != nil {
		return nil, err
	}
	if p.http.TrustedProxies, err = f.check(); err != nil {
		return nil, err
	}
	if err := cmp.Or(f.access.check(cmd), f.upload.check(), f.checkAddresses(cmd.Context())); err != nil {
		return nil, err
	}
	if p.repositories, err = f.planRepositories(p, args); err != nil {
		return nil, err
	}
	if err := f.planHTTP(cmd, p); err != nil {
		return nil, err
	}
	p.certificates, err = f.certificates(p.root.Logger)
	return p, err
}

// planHTTP says how requests are answered.
func (f *serveFlags) planHTTP(cmd *cobra.Command, p *plan) (err error) {
	o, log := &p.http, p.root.Logger
	o.Logger, o.Followers = log, max(1, f.connections/4)
	o.ContextPath, o.URL, o.Sitemap, o.CORSOrigin = p.contextPath, f.url, f.sitemap, f.origin
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	if o.Access, err = f.login.guard(os.LookupEnv, f.clientCA != ""); err != nil {
		return err
	}
	if o.Trust, err = f.verified(p.root); err != nil {
		return err
	}
	o.Renderer, err = f.findHelm(cmd.Context(), log)
	return err
}

// checkAddresses refuses those that no machine has.
func (f *serveFlags) checkAddresses(ctx context.Context) error {
	for _, text := range f.addresses {
		if err := listen.Check(ctx, listen.AddressFlag, text); err != nil {
			return err
		}
	}
	if f.redirect != "" {
		if err := listen.Check(ctx, listen.RedirectFlag, f.redirect); err != nil {
			return err
		}
	}
	return cmp.Or(checkBeside("--debug-address", f.debug, debugExample), checkBeside("--metrics-address", f.metricsAddress, metricsExample))
}

// verified returns the keys whose signatures pages call verified: those that let archives of
// others in, and those of --sign, where nothing is asked of others. It may be nil.
func (f *serveFlags) verified(o repo.Options) (repo.Trust, error) {
	if o.Trust != nil || o.Signer == nil {
		return o.Trust, nil
	}
	return readTrust(f.keyrings)
}

// check refuses values that can't be meant, and reads those of --trusted-proxy.
func (f *serveFlags) check() ([]netip.Prefix, error) {
	if f.poll != 0 && f.poll < minPoll {
		return nil, usagef("invalid value %q for --poll: write %s or more, such as 2s", f.poll, minPoll)
	}
	if f.sitemap && f.url == "" {
		return nil, usagef("--sitemap needs --url URL: the addresses in a sitemap are absolute")
	}
	return f.listenFlags.check()
}
