package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/listen"
)

type healthFlags struct {
	addresses []string
	certFile  string
	ready     bool
	timeout   time.Duration
}

func newHealth() *cobra.Command {
	f := new(healthFlags)
	cmd := &cobra.Command{
		Use:               "health",
		Short:             "Ask a running server whether it is alive, or ready",
		Long:              healthLong,
		Example:           healthExample,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("health takes no argument, but got %q (the server is named by --address)", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.health(cmd) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.addresses, "address", []string{defaultAddress}, "`HOST:PORT` or unix:PATH that the server listens on; every interface, as in :8879, is asked on loopback (of several, the first is asked)")
	flags.StringVar(&f.certFile, "tls-cert", "", "`FILE` that the server has its certificate in: given, HTTPS is spoken; the file is not read")
	flags.BoolVar(&f.ready, "ready", false, "ask whether the first complete index is served, too")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Second, "`DURATION` that the answer may take, such as 500ms")
	_ = cmd.MarkFlagFilename("tls-cert")
	return cmd
}

func (f *healthFlags) health(cmd *cobra.Command) error {
	if f.timeout <= 0 {
		return usagef("invalid value %q for --timeout: write more than 0, such as 5s", f.timeout)
	}
	address := f.addresses[0]
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	defer cancel()
	d, err := listen.NewDialer(ctx, address)
	if err != nil {
		return err
	}
	path, want := "/healthz", "ok\n"
	if f.ready {
		path, want = "/readyz", "ready\n"
	}
	status, body, err := ask(ctx, d, f.certFile != "" && !d.Unix, path)
	switch {
	case err != nil && ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s did not answer %s within %s", address, path, f.timeout)
	case err != nil:
		return fmt.Errorf("%s does not answer %s: %w (is it the server's --address, and is --tls-cert given to both or to none?)", address, path, err)
	case status == http.StatusNotFound, status == http.StatusOK && body != want:
		return fmt.Errorf("%s answers %s as no chartserve does: another server listens there", address, path)
	case status != http.StatusOK:
		return fmt.Errorf("%s answers %s with %d: %s", address, path, status, body)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s", address, want)
	return err
}

// maxHealth is how much of an answer is read, in bytes.
const maxHealth = 200

// ask sends one request. No proxy is asked, no redirect followed, and no certificate
// verified: no secret is sent, and one that has expired, or is of another name, makes
// no server less alive.
func ask(ctx context.Context, d *listen.Dialer, secure bool, path string) (status int, body string, err error) {
	t := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
		// A server that is none of ours may send anything.
		MaxResponseHeaderBytes: 64 << 10,
	}
	// Every server answers by this name, see --allowed-host.
	u := url.URL{Scheme: "http", Host: "localhost", Path: path}
	if secure {
		u.Scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("User-Agent", "chartserve/"+programVersion())
	resp, err := t.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxHealth))
	return resp.StatusCode, string(data), err
}

const healthLong = `Health asks a running server for /healthz, or with --ready for /readyz, and says what
it answers: for the health checks of containers, where there is no curl. It knows the
server's environment variables and settings file, so that beside a server that is set
by them it needs no flag, or --config alone. Nobody has to log in for it, and
--context-path makes no difference.

With --tls-cert it speaks HTTPS, but not on a unix socket, as the server does. It
sends no secret and verifies no certificate: one that has expired is no reason to
restart a server that answers. Sockets that systemd passes on to the server in place
of --address are not known here: name them.

It exits with 0 if the server is well; with 1 if it is not, does not answer within
--timeout or is no chartserve; with 2 for wrong flags.`

const healthExample = `  # Alive?
  chartserve health

  # Ready, on a unix socket
  chartserve health --ready --address unix:/run/chartserve/http`
