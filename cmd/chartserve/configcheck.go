package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

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
	return &cobra.Command{
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
			return checkConfig(cmd, name)
		},
	}
}

// checkConfig says all that is wrong with the settings file of that name.
func checkConfig(cmd *cobra.Command, name string) error {
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
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, ok\n", name, plural(len(all), "setting"))
	return err
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

FILE is the one that CHARTSERVE_CONFIG names where there is none.

Exit status: 0 ok; 1 something that the file names is missing or bad; 2 the file itself
can't be understood.`

const configExample = `  # Check a file before the server is restarted with it
  chartserve config check /etc/chartserve/chartserve.yaml

  # For an editor: names, meanings and values of all settings
  chartserve config schema > chartserve.schema.json`
