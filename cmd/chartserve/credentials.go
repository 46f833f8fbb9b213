package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// clientFlags say how other repositories are reached.
type clientFlags struct {
	username, password        string
	passwordFile, bearerFile  string
	caFile, certFile, keyFile string
	plainHTTP                 bool
	rate                      byteSize
	retries                   int
	// logIn is how one logs in here, for who has to.
	logIn string
}

// maxSecret bounds a file that holds a password or a token, in bytes.
const maxSecret = 64 << 10

// register adds the flags. host names in words where credentials are sent, and logIn
// names the command's other flags for logging in.
func (f *clientFlags) register(cmd *cobra.Command, host, logIn string) {
	f.logIn = "--username with --password-file, or --bearer-token-file" + logIn
	flags := cmd.Flags()
	defer titled(flags, downloadTitle)()
	flags.StringVar(&f.username, "username", "", "`NAME` for basic authentication with "+host)
	flags.StringVar(&f.password, "password", "", "`PASSWORD` of --username; other users of the machine can read it here, so better set the variable, or name a file")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` that holds the password, and nothing else")
	flags.StringVar(&f.bearerFile, "bearer-token-file", "", "`FILE` that holds a bearer token, in place of name and password")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM `FILE` of the authorities that are trusted besides the system's")
	flags.StringVar(&f.certFile, "cert-file", "", "PEM `FILE` of the client certificate")
	flags.StringVar(&f.keyFile, "key-file", "", "PEM `FILE` of the client certificate's key")
	flags.BoolVar(&f.plainHTTP, "plain-http", false, "speak HTTP with oci:// registries")
	flags.Var(&f.rate, "rate", "transfer at most this `SIZE` a second, such as 2MiB; no bound without it")
	flags.IntVar(&f.retries, "retries", 3, "repeat a request up to `N` times when the server is overloaded, broken or cut off")
	for _, name := range []string{"password-file", "bearer-token-file", "ca-file", "cert-file", "key-file"} {
		_ = cmd.MarkFlagFilename(name)
	}
}

// options are those of a client for the addresses on the command line, to whose
// host alone the credentials are sent. A command line without addresses has a flag for
// the host.
func (f *clientFlags) options(addresses []string, logger *slog.Logger) (remote.Options, error) {
	o := remote.Options{
		UserAgent: "chartserve/" + programVersion(),
		Logger:    logger,
		PlainHTTP: f.plainHTTP,
		Limiter:   remote.NewLimiter(int64(f.rate)),
		Retries:   f.retries,
		LogIn:     f.logIn,
	}
	switch {
	case f.retries < 0:
		return o, usagef("invalid value %d for --retries: write 0 or more", f.retries)
	case f.retries == 0:
		o.Retries = -1
	case (f.certFile == "") != (f.keyFile == ""):
		return o, usagef("--cert-file and --key-file belong together: set both")
	}
	var err error
	if o.Logins, err = f.logins(addresses); err != nil {
		return o, err
	}
	if f.caFile+f.certFile != "" {
		o.TLS, err = remote.LoadTLS(f.caFile, f.certFile, f.keyFile)
	}
	return o, err
}

func (f *clientFlags) logins(addresses []string) ([]remote.Login, error) {
	l := remote.Login{Username: f.username, Password: f.password}
	var err error
	if f.passwordFile != "" {
		if f.password != "" {
			return nil, usagef("--password and --password-file: keep one of them")
		}
		if l.Password, err = readSecret(f.passwordFile); err != nil {
			return nil, err
		}
	}
	if f.bearerFile != "" {
		if l.Bearer, err = readSecret(f.bearerFile); err != nil {
			return nil, err
		}
	}
	switch {
	case l.Bearer != "" && l.Username+l.Password != "":
		return nil, usagef("--bearer-token-file stands beside --username or --password: keep one kind of credentials")
	case l.Password != "" && l.Username == "":
		return nil, usagef("--password needs --username")
	case l.Bearer+l.Username == "":
		return nil, nil
	}
	for _, a := range addresses {
		switch origin := chart.OriginOf(a); {
		case origin == "" || origin == l.Origin:
		case l.Origin != "":
			return nil, usagef("the credentials are for one host, and the command line names %s and %s (put the others into a file for --from)", l.Origin, origin)
		default:
			l.Origin = origin
		}
	}
	if l.Origin == "" {
		return nil, usagef("there are credentials, but no URL on the command line that they are for (give %s)", f.logIn)
	}
	return []remote.Login{l}, nil
}

// readSecret is what stands in a file, without the line break at its end.
func readSecret(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, maxSecret)
	secret := strings.TrimRight(string(data), "\r\n")
	if err == nil && secret == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w (it should hold the secret and nothing else)", name, err)
	}
	return secret, nil
}
