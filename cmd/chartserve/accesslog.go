package main

import (
	"fmt"
	"log/slog"
	"strconv"

	"github.com/spf13/cobra"

	"chartserve/internal/accesslog"
)

// accessLogFlags say where each request is logged, and how.
type accessLogFlags struct {
	to   logTarget
	form choice
}

func (f *accessLogFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, seeingTitle)()
	flags.Var(&f.to, "access-log", "log each request: in the log on stderr, or with `[=FILE]` there; SIGHUP opens the file again; - is stdout")
	flags.Lookup("access-log").NoOptDefVal = "true"
	_ = cmd.MarkFlagFilename("access-log")
	f.form = choice{value: "json", allowed: []string{"json", "common", "combined"}}
	f.form.register(cmd, "access-log-format", "`FORM` of the lines of --access-log=FILE: json, common or combined")
}

// check refuses a form of what has none.
func (f *accessLogFlags) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("access-log-format") && f.to.file == "" {
		return usagef("--access-log-format needs --access-log=FILE (- is stdout): lines without a file are in the form of --log-format")
	}
	return nil
}

// open returns the access log, whose methods work for none too.
func (f *accessLogFlags) open(cmd *cobra.Command, logger *slog.Logger) (*accessLog, error) {
	form := map[string]accesslog.Form{"json": accesslog.JSON, "common": accesslog.Common, "combined": accesslog.Combined}[f.form.value]
	a := &accessLog{logger: logger}
	switch f.to {
	case logTarget{}:
	case logTarget{on: true}:
		a.write = accesslog.To(logger)
	case logTarget{on: true, file: "-"}:
		a.file = accesslog.New(cmd.OutOrStdout(), form, logger)
	default:
		var err error
		if a.file, err = accesslog.Open(f.to.file, form, logger); err != nil {
			return a, fmt.Errorf("access log: %w (name a file that may be written with --access-log=FILE)", err)
		}
	}
	if a.file != nil {
		a.write = a.file.Write
	}
	return a, nil
}

// accessLog is where requests are logged.
type accessLog struct {
	write  func(*accesslog.Request) // nil: nowhere
	file   *accesslog.Log           // nil: not to a file of its own
	logger *slog.Logger
}

// reopen is for who has renamed the file.
func (a *accessLog) reopen() {
	if a.file == nil {
		return
	}
	if err := a.file.Reopen(); err != nil {
		a.logger.Error("the access log goes on in the file that it had", "error", err)
	}
}

func (a *accessLog) close() {
	if a.file == nil {
		return
	}
	if err := a.file.Close(); err != nil {
		a.logger.Error("the access log could not be closed", "error", err)
	}
}

// logTarget is a flag that is on or off, or names a file.
type logTarget struct {
	on   bool
	file string // empty: the log of the rest; -: stdout
}

// Type is what keeps pflag from showing the value of a bare flag.
func (t *logTarget) Type() string { return "bool" }

func (t *logTarget) String() string {
	if t.file != "" {
		return t.file
	}
	return strconv.FormatBool(t.on)
}

func (t *logTarget) Set(s string) error {
	if on, err := strconv.ParseBool(s); err == nil {
		*t = logTarget{on: on}
		return nil
	}
	*t = logTarget{on: true, file: s}
	return nil
}
