package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envPrefix starts the name of every environment variable that sets a flag.
const envPrefix = "CHARTSERVE_"

// envName is the environment variable that sets f, empty for the two flags that
// only print something.
func envName(f *pflag.Flag) string {
	if f.Name == "help" || (f.Name == "version" && f.Value.Type() == "bool") {
		return ""
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// ofService matches the variables that Kubernetes sets where a Service is named
// chartserve.
var ofService = regexp.MustCompile(`^CHARTSERVE_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$`)

// owner is a flag, and the command that has it.
type owner struct {
	cmd  *cobra.Command
	flag *pflag.Flag
}

// settable returns the flags that the environment and files can set, by name: those of all
// commands, in the order of the commands.
func settable(root *cobra.Command) map[string][]owner {
	all := map[string][]owner{}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if envName(f) != "" {
				all[f.Name] = append(all[f.Name], owner{cmd, f})
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return all
}

// unknownEnv says of each variable in environ that sets no flag of any command, and looks
// as if it should, what was probably meant.
func unknownEnv(root *cobra.Command, environ []string) (warnings []string) {
	known := map[string]bool{passphraseVariable: true, envPrefix + userVariable: true, envPrefix + passwordVariable: true}
	for _, owners := range settable(root) {
		known[envName(owners[0].flag)] = true
	}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || known[name] || ofService.MatchString(name) {
			continue
		}
		remedy := "chartserve --help lists the variables"
		if near := alike(name, slices.Sorted(maps.Keys(known))); len(near) > 0 {
			remedy = "did you mean " + strings.Join(near, " or ") + "?"
		}
		warnings = append(warnings, fmt.Sprintf("environment variable %s sets nothing (%s)", name, remedy))
	}
	return warnings
}

// applyEnv sets each flag that the command line left alone from its environment
// variable.
func applyEnv(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := envName(f)
		if name == "" || f.Changed {
			return
		}
		text, _ := lookup(name)
		for _, value := range envValues(f, text) {
			if err := flags.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("environment variable %s: invalid value %q: %s", name, value, flagReason(err)))
				return
			}
			setOrigin(f, "the environment variable "+name)
		}
	})
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// envValues splits what a variable holds into the values of f. Empty ones are
// dropped, because "NAME=" is how compose files and unit files spell "not set".
func envValues(f *pflag.Flag, text string) []string {
	if _, many := f.Value.(pflag.SliceValue); many {
		return envList(text)
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return []string{text}
}

// envList splits a variable that holds a list.
func envList(text string) (values []string) {
	for p := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if p = strings.TrimSpace(p); p != "" {
			values = append(values, p)
		}
	}
	return values
}

// flagReason is why a flag's value was refused, without the names of Go
// functions and without what the caller says itself.
func flagReason(err error) string {
	if invalid := new(pflag.InvalidValueError); errors.As(err, &invalid) {
		err = invalid.Unwrap()
		if invalid.GetFlag().Value.Type() == "bool" {
			return "write true or false"
		}
	}
	if number := new(strconv.NumError); errors.As(err, &number) {
		return "not a number (" + number.Err.Error() + ")"
	}
	if strings.HasPrefix(err.Error(), "time: ") {
		return durationRemedy
	}
	return err.Error()
}

// bareUsages leaves of each flag's description what a completion has room for: no
// backquotes, which mark the value in the help, and no variable.
func bareUsages(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, f.Usage = plainUsage(f)
	})
	for _, sub := range cmd.Commands() {
		bareUsages(sub)
	}
}

// plainUsage returns the name of a flag's value, which may be empty, and what the flag is
// for, without backquotes and without the variable.
func plainUsage(f *pflag.Flag) (value, usage string) {
	value, usage = pflag.UnquoteUsage(f)
	usage, _, _ = strings.Cut(usage, " [$")
	return value, usage
}

// describeEnv adds to each flag's description which variable sets it.
func describeEnv(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if name := envName(f); name != "" {
			f.Usage += " [$" + name + "]"
		}
	})
	for _, sub := range cmd.Commands() {
		describeEnv(sub)
	}
}
