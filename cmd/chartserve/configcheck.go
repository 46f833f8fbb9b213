package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chartserve/internal/settings"
)

// newConfig holds the commands about settings files.
func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check a settings file, or print the schema of one",
		Long:    configLong,
		Example: configExample,
	}
	return asGroup(cmd, newConfigCheck(), newConfigSchema())
}

func newConfigCheck() *cobra.Command {
	show := false
	cmd := &cobra.Command{
		Use:     "check [FILE]",
		Short:   "Check a settings file, and all that serve would refuse before it listens",
		Long:    configCheckLong,
		Example: configExample,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("config check takes one FILE; it got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.TrimSpace(os.Getenv(envPrefix + strings.ToUpper(configFlag)))
			if len(args) > 0 {
				name = args[0]
			}
			return checkConfig(cmd, name, show)
		},
	}
	cmd.Flags().BoolVar(&show, "show", false, "list what a server would be set to, with where each setting is from")
	return cmd
}

// checkConfig says all that is wrong with the settings file of that name.
func checkConfig(cmd *cobra.Command, name string, show bool) error {
	if name == "" {
		return usagef("config check needs a FILE, or the variable %s%s that names one", envPrefix, strings.ToUpper(configFlag))
	}
	all, errs := settings.Read(name)
	known := keys(newRoot(func() {}))
	f := new(serveFlags)
	server := serveCommand(f)
	errs = append(errs, applyFile(server.Flags(), known, all, name)...)
	errs = append(errs, others(all, known, server, name)...)
	for _, err := range errs {
		complain(cmd, slog.LevelError, err.Error())
	}
	if len(errs) > 0 {
		return usageError{errReported}
	}
	if err := applyEnv(server.Flags(), os.LookupEnv); err != nil {
		return usageError{err}
	}
	server.SetContext(cmd.Context())
	server.SetErr(cmd.ErrOrStderr())
	server.SetIn(cmd.InOrStdin())
	if _, err := f.plan(server, nil); err != nil {
		return fmt.Errorf("%w%s", err, origins(server.Flags(), err.Error()))
	}
	text := fmt.Sprintf("%s: %s, ok\n", name, plural(len(all), "setting"))
	if show {
		text += inForce(server.Flags())
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// inForce lists the flags that were set, as a settings file, with where that was. Secrets are
// left out.
func inForce(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.Visit(func(f *pflag.Flag) {
		text := f.Value.String()
		if list, many := f.Value.(pflag.SliceValue); many {
			text = asJSON(list.GetSlice())
		} else if kind := f.Value.Type(); kind != "bool" && kind != "int" || !json.Valid([]byte(text)) {
			text = asJSON(text)
		}
		if f.Name == "password" {
			text = `"..."`
		}
		fmt.Fprintf(&b, "%s: %s # %s\n", f.Name, userInURL.ReplaceAllString(queryInURL.ReplaceAllString(text, "$1..."), "$1...@"), originOf(f))
	})
	return b.String()
}

// What may be a secret in a URL.
var (
	userInURL  = regexp.MustCompile(`(://)[^/\s"]+@`)
	queryInURL = regexp.MustCompile(`(://[^\s"?]*\?)[^\s"]+`)
)

func asJSON(v any) string {
	text, _ := json.Marshal(v) // of texts
	return string(text)
}

// others returns what is wrong with the values of keys that server does not have. A value is
// fine that one of the commands takes.
func others(all []settings.Setting, known map[string][]owner, server *cobra.Command, name string) (errs []error) {
	for _, s := range all {
		var wrong []error
		for _, o := range known[s.Key] {
			wrong = append(wrong, setFlag(o.cmd.Flags(), o.flag, s))
		}
		if server.Flags().Lookup(s.Key) == nil && len(wrong) > 0 && !slices.Contains(wrong, nil) {
			errs = append(errs, settings.Error{File: name, Line: s.Line, Key: s.Key, Reason: wrong[0].Error()})
		}
	}
	return errs
}

const configLong = `Config is about settings files: what --config FILE, or the variable CHARTSERVE_CONFIG,
names for all other commands.

A settings file is YAML. Its keys are the names of flags, and source for the SOURCEs;
their values are true or false, numbers and texts, and lists of texts for flags that
can be given several times. A key without a value is as good as none. The command line
wins over the file, and the file over the environment.

One file serves all commands: each passes over the keys of others. A key that no
command has is an error. Relative paths are below the working directory, as those of
flags are. A server reads the file once: restart it to have another take effect.`

const configCheckLong = `Check reads a settings file as chartserve serve would, with the environment, up to where
it would listen: keys and values, and what is in the files that they name. It opens
no port, writes nothing, and leaves out what the machine decides: whether a port is
free, and a folder may be written. Keys of other commands are checked too.

With --show it lists what the server would be set to, by the file and the environment, in
the form of a settings file.

FILE is the one that CHARTSERVE_CONFIG names where there is none.

Exit status: 0 ok; 1 something that the file names is missing or bad; 2 the file itself
can't be understood.`

const configExample = `  # Check a file before the server is restarted with it
  chartserve config check /etc/chartserve/chartserve.yaml

  # What is it set to, and where is that from?
  CHARTSERVE_LOG_LEVEL=debug chartserve config check --show chartserve.yaml

  # For an editor: names, meanings and values of all settings
  chartserve config schema > chartserve.schema.json`
