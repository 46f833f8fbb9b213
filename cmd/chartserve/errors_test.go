package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
		want string
	}{
		"none":        {nil, exitOK, ""},
		"failure":     {errors.New("no"), exitFailure, "chartserve: no\n"},
		"usage":       {usagef("bad %s", "flag"), exitUsage, "chartserve: bad flag\n"},
		"wrapped":     {fmt.Errorf("a: %w", usagef("b")), exitUsage, "chartserve: a: b\n"},
		"reported":    {errReported, exitFailure, ""},
		"interrupted": {fmt.Errorf("build: %w", context.Canceled), exitFailure, "chartserve: interrupted\n"},
		"many lines":  {errors.Join(errors.New("a"), errors.New("b")), exitFailure, "chartserve: a; b\n"},
		"escapes":     {errors.New("name \x1b[2J"), exitFailure, "chartserve: name ?[2J\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if got := report(&b, c.err); got != c.code {
				t.Errorf("exit status: got %d, want %d", got, c.code)
			}
			if got := b.String(); got != c.want {
				t.Errorf("stderr: got %q, want %q", got, c.want)
			}
		})
	}
}
