package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/access"
	"chartserve/internal/httpapi"
	"chartserve/internal/listen"
	"chartserve/internal/repo"
	"chartserve/internal/repos"
)

// minPoll keeps --poll from turning into a busy loop.
const minPoll = 10 * time.Millisecond

// serveFlags are those of repoFlags and how the repository is served.
type serveFlags struct {
	repoFlags
	listenFlags
	contextPath string
	sitemap     bool
	poll        time.Duration
	ready       readyFile
	access      accessLogFlags

	enableMetrics  bool
	metricsAddress string
	debug          string
	upload         uploadFlags
	helmTemplate   bool
	repositories   repositoryFlags
	login          loginFlags
}

// newServe is the serve command; the root is made of one too.
func newServe() *cobra.Command { return serveCommand(new(serveFlags)) }

// serveCommand is newServe with the flags in f.
func serveCommand(f *serveFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "serve [SOURCE...]",
		Short:             "Serve the charts of SOURCE directories as a live Helm repository",
		Long:              serveLong,
		Example:           serveExample,
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.serve(cmd, args)
		},
	}
	f.repoFlags.register(cmd)
	f.listenFlags.register(cmd)
	f.login.register(cmd)
	flags := cmd.Flags()
	f.upload.register(flags)
	f.repositories.register(flags)
	flags.BoolVar(&f.helmTemplate, "allow-helm-template", false, "let readers compare what helm template makes of two versions: it runs the templates of any chart here, uploaded ones too, "+
		"with the helm 3 or 4 on PATH, one at a time, for 20 seconds and 8 MiB at most and, on Linux, within 1 GiB of memory, without this environment")
	flags.StringVar(&f.contextPath, "context-path", "/charts", "`PATH` in URLs below which the repository is served")
	flags.BoolVar(&f.sitemap, "sitemap", false, "list the pages of all charts for search engines, at /sitemap.xml, as addresses below --url; off without it")
	flags.DurationVar(&f.poll, "poll", 0, "look for changes each `DURATION`, such as 2s, for file systems that send no events")
	flags.StringVar(&f.ready.path, "ready-file", "", "`FILE` to write the repository's URL to once the first complete index is served; removed at the end")
	f.registerSeeing(cmd)
	return cmd
}

// registerSeeing adds the flags of what an operator sees the server by.
func (f *serveFlags) registerSeeing(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, seeingTitle)()
	f.access.register(cmd)
	flags.BoolVar(&f.enableMetrics, "enable-metrics", false, "answer with metrics for Prometheus at /metrics, to whoever may read all charts")
	flags.StringVar(&f.metricsAddress, "metrics-address", "", "`HOST:PORT` of its own for /metrics, such as localhost:9879, by plain HTTP and without a login; off without it")
	flags.StringVar(&f.debug, "debug-address", "", "loopback `HOST:PORT` for Go's profiles (/debug/pprof), such as localhost:6060, by plain HTTP; off without it")
}

// serve listens first, so that a second server fails before it touches anything,
// then opens the repository and serves it until ctx ends.
func (f *serveFlags) serve(cmd *cobra.Command, args []string) error {
	ctx, start := cmd.Context(), time.Now()
	defer setGarbage(startGarbage)()
	p, err := f.plan(cmd, args)
	if err != nil {
		return err
	}
	l, err := listen.OpenAll(ctx, f.addresses, f.redirect, p.certificates)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := f.ready.clear(); err != nil {
		return err
	}
	log := p.root.Logger
	i, err := f.instruments(cmd, &p.root)
	if err != nil {
		return err
	}
	defer i.close()
	base := l.BaseURL(p.contextPath)
	all, err := f.openRepositories(p, l, i)
	if err != nil {
		return err
	}
	defer closeRepo(all, log)
	r := all.Root()
	p.http.Address = base
	h, err := f.handler(all, l, p.http, i)
	if err != nil {
		return err
	}
	s := &session{repos: all, listeners: l, server: httpapi.NewServer(h, f.connections, log), instruments: i, logger: log, files: follower(l.Certificates, p.http.Access, p.root, p.http.Trust)}
	s.settings = newStartFile(cmd.Flags())
	i.show(s.server)
	log.Info("listening; reading the charts", "url", strings.Join(l.BaseURLs(p.contextPath), " "))
	f.upload.warn(l, p.http.Access, log)
	return s.run(ctx, func(ctx context.Context) error {
		remote := cmp.Or(f.url, l.RemoteURL(p.contextPath))
		st, took := r.Status(), time.Since(start)
		text := announcement(st, origin(p.root.Sources, f.path), took, l.BaseURLs(p.contextPath), remote, f.repositories.besides(all, base)) + loginHint(p.http.Access)
		// A reader that has gone away is no reason to stop serving.
		_ = f.say(cmd.OutOrStdout(), text, "serving", append(record(st, took), "url", base, "remoteURL", remote)...)
		if err := f.ready.write(base); err != nil {
			return err
		}
		listen.Notify(log, listen.ServiceReady, "STATUS=Serving "+counts(st)+" on "+base)
		<-ctx.Done()
		f.ready.remove(base)
		return nil
	})
}

// handler answers for the repositories. What o has comes from the command line as a whole.
func (f *serveFlags) handler(all *repos.Set, l *listen.Listeners, o httpapi.Options, i *instruments) (http.Handler, error) {
	o.AllowedHosts, o.Redirect = f.allowedHosts(l, f.url), redirect(l, f.url)
	o.Repositories, o.Uploads = f.repositories.served(all), f.upload.uploads(all.Root())
	i.see(&o, f.enableMetrics)
	h, err := httpapi.New(all.Root(), o)
	if err != nil {
		return nil, usageError{err}
	}
	return h, nil
}

// announcement is what a person reads once the repository is served; besides says what
// else is.
func announcement(st repo.Status, from string, took time.Duration, bases []string, remote, besides string) string {
	text := fmt.Sprintf("Serving %s from %s in %s\n", counts(st), from, seconds(took))
	if bad := len(st.Failures); bad > 0 {
		text += fmt.Sprintf("%s could not be published: the log, the page and /status have the reasons\n", plural(bad, "chart"))
	}
	if besides == "" {
		text += hint(st, from)
	}
	text += besides
	text += strings.Join(bases, "\n") + "\n\n"
	if path, ok := strings.CutPrefix(bases[0], listen.UnixPrefix); ok {
		text += fmt.Sprintf("  curl --unix-socket %s http://localhost/index.yaml\n", path)
	} else {
		text += fmt.Sprintf("  helm repo add local %s\n", bases[0])
	}
	if remote != "" {
		text += fmt.Sprintf("\nFrom other hosts:\n\n  helm repo add local %s\n", remote)
	}
	return text
}

// loginHint is for who has to log in to read; nil is nobody.
func loginHint(guard *access.Guard) string {
	if guard == nil || !guard.ReadsNeedLogin() {
		return ""
	}
	return "\nWhoever reads has to log in: add --username NAME, and helm asks for the password.\n"
}

const serveLong = `Serve finds the charts below each SOURCE (a directory or a glob, by default the
working directory), packages them, serves them as a Helm repository, and keeps
that equal to the SOURCEs while they change. A chart that can't be packaged keeps
its last good archive; its reason is in the log, in /status and on the repository's
page.

Without a SOURCE but with --repo-path, the archives in that folder are served, as
helm serve --repo-path did. The folder is locked while it is served. --repository
serves more repositories beside it, at /charts/NAME, each in the folder of its NAME.

For localhost it listens on 127.0.0.1 and on ::1, and answers only to who asks for
localhost, an address, the host of --url or an --allowed-host. --address :8879 lets
the whole network read the charts, unless the files of --htpasswd, --token-file or
--access say who may: then readers have to log in, unless --anonymous-read is given.
These files are followed while they change; one with a mistake changes nothing, and
the log and /status say so. Nothing can be written over HTTP without --allow-upload.

--address can be given several times; --address unix:/run/chartserve/http is a unix
socket, for the user and the group of the server. Sockets that systemd passes on take
the place of --address. With --tls-cert and --tls-key it serves HTTPS on all of them
but unix sockets, by TLS 1.2 or 1.3 and HTTP/2. These files are read again when they
change; a bad pair leaves the one before in use. --redirect-http leads from HTTP there.

/healthz answers while the server is alive, /readyz once the first index is
complete, /status tells as JSON what is served and what failed, and /metrics, with
--enable-metrics or on a --metrics-address of its own, counts for Prometheus.

What --config FILE holds is read once, at the start: restart to have another take effect.
SIGHUP says so where the file has changed.

SIGHUP opens the file of --access-log again, and has everything looked at again, and
the files that hold certificates, credentials for downloads, users, tokens and the
keys of --sign and --require-signature. SIGINT or SIGTERM stops it once the requests in
flight are answered, a second one at once.

With --sign the archives that are made here get a .prov; docs/signing.md has more.`

const serveExample = `  # Serve the charts below the working directory
  chartserve serve

  # Serve two trees to the whole network, below another path
  chartserve serve --address :8879 --context-path /helm openstack-helm openstack-helm-infra

  # Serve them by HTTPS, and lead there from HTTP
  chartserve serve --address :443 --redirect-http :80 --tls-cert tls.crt --tls-key tls.key charts

  # Serve a folder of archives
  chartserve serve --repo-path ./archives

  # Let the users of an htpasswd file read, upload and delete, and nobody else
  chartserve serve --address :8879 --allow-upload --htpasswd users charts

  # In a script: any free port, and wait for the first complete index
  chartserve serve --address localhost:0 --ready-file url.txt charts &
  until test -f url.txt; do sleep 0.1; done
  helm repo add local "$(cat url.txt)"`
