package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
)

// findingLines lists findings for people, one a line, each behind its prefix.
func findingLines(list chart.Errors, prefix func(*chart.Error) string) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s%s\n", prefix(f), oneLine(f.Error()))
	}
	return b.String()
}

// findingsError prints each finding in err, where there are several.
func findingsError(cmd *cobra.Command, err error) error {
	var list chart.Errors
	if !errors.As(err, &list) || len(list) == 1 {
		return err
	}
	complainAll(cmd, list)
	return errReported
}

func complainAll(cmd *cobra.Command, list chart.Errors) {
	for _, f := range list {
		complain(cmd, slog.LevelError, f.Error())
	}
}

// writeJSON writes v for scripts, indented, with <, > and & as they are.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
