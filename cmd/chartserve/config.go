package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chartserve/internal/settings"
)

// configFlag names the settings file.
const configFlag = "config"

// registerConfig gives cmd, and the commands below it, the flag of the settings file where
// they have others.
func registerConfig(cmd *cobra.Command) {
	if cmd.Flags().HasFlags() && cmd.Name() != "check" { // whose argument it is
		cmd.Flags().String(configFlag, "", "YAML `FILE` of settings, by the names of flags, such as repo-path: public; the command line wins over it, and it over the environment")
		_ = cmd.MarkFlagFilename(configFlag, "yaml", "yml", "json")
	}
	for _, sub := range cmd.Commands() {
		registerConfig(sub)
	}
}

// settingsFile is the file that the command line or the environment names; empty: none.
func settingsFile(flags *pflag.FlagSet, lookup func(string) (string, bool)) string {
	f := flags.Lookup(configFlag)
	switch {
	case f == nil:
		return ""
	case f.Changed:
		return f.Value.String()
	}
	name, _ := lookup(envName(f))
	return strings.TrimSpace(name)
}

// keys returns the flags that a settings file may set, by name.
func keys(root *cobra.Command) map[string][]owner {
	all := settable(root)
	maps.DeleteFunc(all, func(name string, _ []owner) bool { return ofCommandLine(name) })
	return all
}

// ofCommandLine reports whether the flag of that name has no meaning in a file.
func ofCommandLine(name string) bool {
	return slices.Contains([]string{configFlag, "help", "version", "show", "no-descriptions"}, name)
}

// applyFile sets each flag that the command line left alone as the file of that name says,
// which holds all. known are the keys of all commands: those of others alone are passed over.
func applyFile(flags *pflag.FlagSet, known map[string][]owner, all []settings.Setting, name string) (errs []error) {
	for _, s := range all {
		err := badKey(s.Key, known)
		if f := flags.Lookup(s.Key); err == nil && f != nil && !f.Changed {
			if err = setFlag(flags, f, s); err == nil && f.Changed {
				setOrigin(f, fmt.Sprintf("%s:%d", name, s.Line))
			}
		}
		if err != nil {
			errs = append(errs, settings.Error{File: name, Line: s.Line, Key: s.Key, Reason: err.Error()})
		}
	}
	return errs
}

// firstOf is the error of a command whose settings file has errs; nil: there are none.
func firstOf(errs []error, name string) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	return fmt.Errorf("%w; and %s (chartserve config check %s lists them)", errs[0], plural(len(errs)-1, "more error"), name)
}

// badKey says why a key is none; nil: it is one.
func badKey(key string, known map[string][]owner) error {
	switch {
	case known[key] != nil:
		return nil
	case ofCommandLine(key):
		return errors.New("that is for the command line alone (take the line out)")
	}
	plain := strings.ReplaceAll(strings.TrimLeft(strings.ToLower(key), "-"), "_", "-")
	plain = strings.TrimPrefix(plain, "chartserve-")
	if near := meant(plain, slices.Sorted(maps.Keys(known))); len(near) > 0 {
		return fmt.Errorf("unknown key (did you mean %s?)", strings.Join(near, " or "))
	}
	return errors.New("unknown key (chartserve config schema lists those that there are)")
}

// setFlag sets a flag as a settings file says. No error holds a value.
func setFlag(flags *pflag.FlagSet, f *pflag.Flag, s settings.Setting) error {
	form := formOf(f)
	if !slices.Contains(append(form.kinds, settings.Null), s.Kind) {
		return fmt.Errorf("it is %s (%s)", s.Kind, form.remedy)
	}
	for _, value := range s.Values {
		if err := flags.Set(f.Name, value); err != nil {
			return errors.New("invalid value (" + form.remedy + ")")
		}
	}
	return nil
}

// durations are those of time.ParseDuration that are not negative.
const durations = `0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+`

const durationRemedy = "write a duration such as 90s or 36h"

// form is how the values of a flag are written in a settings file.
type form struct {
	kinds  []settings.Kind
	remedy string
	// allowed are the texts that there are; pattern is what they match as a whole; none: any.
	allowed []string
	pattern string
	numbers []int // the least, and the most
}

func formOf(f *pflag.Flag) form {
	text := []settings.Kind{settings.String}
	switch v := f.Value.(type) {
	case *choice:
		return form{kinds: text, remedy: "write " + oneOf(v.allowed), allowed: v.allowed}
	case *byteSize:
		return form{kinds: append(text, settings.Number), remedy: "write a size such as 512KiB, 5MiB or 20M", pattern: `0*[1-9][0-9]* *([KkMmGg]([Ii]?[Bb]?)|[Bb])?`, numbers: []int{1}}
	case *period:
		return form{kinds: append(text, settings.Number), remedy: "write a number of days such as 90d, or a duration such as 36h", pattern: "[0-9]+d|" + durations, numbers: []int{0, 0}}
	case *logTarget:
		return form{kinds: append(text, settings.Bool), remedy: "write true, false or the name of a file, in quotes if it looks like a number"}
	case pflag.SliceValue:
		return form{kinds: append(text, settings.List), remedy: "write a text, or a list of texts, in quotes if they look like something else"}
	}
	switch f.Value.Type() {
	case "bool":
		return form{kinds: []settings.Kind{settings.Bool}, remedy: "write true or false, without quotes"}
	case "int":
		return form{kinds: []settings.Kind{settings.Number}, remedy: "write a whole number, without quotes"}
	case "duration":
		return form{kinds: append(text, settings.Number), remedy: durationRemedy, pattern: durations, numbers: []int{0, 0}}
	}
	return form{kinds: text, remedy: "write a text, in quotes if it looks like something else"}
}
