package main

import (
	"github.com/spf13/cobra"

	"chartserve/internal/access"
)

// The variables of one user who may do everything, by our names and by ChartMuseum's.
// There are no flags for it: everybody on the machine can read command lines.
const (
	userVariable     = "BASIC_AUTH_USER"
	passwordVariable = "BASIC_AUTH_PASS"
)

// loginFlags say who may do what.
type loginFlags struct {
	file, htpasswd, tokens string
	anonymous              bool
}

func (f *loginFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, loginTitle)()
	flags.StringVar(&f.file, "access", "", "`FILE` that says who may read, upload and delete what (YAML, see docs/access.md), in place of --htpasswd, --token-file and --anonymous-read")
	flags.StringVar(&f.htpasswd, "htpasswd", "", "`FILE` of users who may do everything, as htpasswd writes it; whoever reads has to log in then")
	flags.StringVar(&f.tokens, "token-file", "", "`FILE` of tokens that clients may log in with, as chartserve token create writes it; whoever reads has to log in then")
	flags.BoolVar(&f.anonymous, "anonymous-read", false, "let everybody read without a login all the same")
	for _, name := range []string{"access", "htpasswd", "token-file"} {
		_ = cmd.MarkFlagFilename(name) // fails only for a flag that isn't there
	}
}

// guard reads the rules; nil: there are none, and nobody has to log in. lookup is
// os.LookupEnv; certificates says that clients may have certificates.
func (f *loginFlags) guard(lookup func(string) (string, bool), certificates bool) (*access.Guard, error) {
	o := access.Options{File: f.file, Htpasswd: f.htpasswd, TokenFile: f.tokens, AnonymousRead: f.anonymous}
	o.Certificates = certificates && o.File == ""
	variable := func(name string) string {
		if value, _ := lookup(envPrefix + name); value != "" {
			return value
		}
		value, _ := lookup(name)
		return value
	}
	o.User, o.Password = variable(userVariable), variable(passwordVariable)
	switch {
	case (o.User == "") != (o.Password == ""):
		return nil, usagef("environment variables %s and %s belong together: set both, or none", userVariable, passwordVariable)
	case o.File != "" && o.Htpasswd+o.TokenFile != "", o.File != "" && o.AnonymousRead:
		return nil, usagef("--access says it all: name the files of --htpasswd and --token-file in it, and anonymousRead")
	case o.File != "" && o.User != "":
		return nil, usagef("--access says it all: unset the environment variables %s and %s", userVariable, passwordVariable)
	case !o.Enabled() && o.AnonymousRead:
		return nil, usagef("--anonymous-read does nothing where nobody can log in: give --htpasswd, --token-file or --client-ca as well")
	case !o.Enabled():
		return nil, nil
	}
	return access.New(o)
}
