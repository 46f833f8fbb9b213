package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
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
			cmd := new(cobra.Command)
			cmd.SetErr(&b)
			if got := report(cmd, c.err); got != c.code {
				t.Errorf("exit status: got %d, want %d", got, c.code)
			}
			if got := b.String(); got != c.want {
				t.Errorf("stderr: got %q, want %q", got, c.want)
			}
		})
	}
}

// A command line that can't be meant, whatever is on disk, ends with 2; what fails with 1.
func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, filepath.Join(dir, "c", "Chart.yaml"), "apiVersion: v2\nname: c\nversion: 1.0.0\n")
	for line, want := range map[string]int{
		"build c": exitOK, "package c": exitOK, "index c": exitOK, "bundle": exitOK, "completion": exitOK, "help serve": exitOK, "help bundle create": exitOK,

		"build nosuch": exitFailure, "build nosuch/*": exitFailure, "serve --address 203.0.113.1:0 c": exitFailure,
		"serve --ready-file no/such/file --address localhost:0 c": exitFailure, "package nosuch": exitFailure, "index nosuch": exitFailure,
		"mirror nosuch": exitFailure, "mirror --from nosuch": exitFailure, "mirror --ca-file nosuch http://127.0.0.1:1/x": exitFailure,
		"verify --repo-path nosuch": exitFailure, "verify --keyring nosuch": exitFailure, "images nosuch": exitFailure,
		"bundle verify nosuch": exitFailure, "bundle load nosuch": exitFailure, "bundle create -o x --repo-path nosuch": exitFailure,

		"nosuch": exitUsage, "--nosuch": exitUsage, "build --port 1": exitUsage, "version x": exitUsage, "completion x": exitUsage, "help x": exitUsage,
		"help bundle x": exitUsage, "bundle x": exitUsage, "build a[": exitUsage,
		"build --url :: c": exitUsage, "build --url ftp://h c": exitUsage, "build --own-url :: c": exitUsage, "build --keep-replaced -1s c": exitUsage,
		"build --repo-path= c": exitUsage, "build --build-metadata ! c": exitUsage, "build --exclude [ c": exitUsage, "build --jobs -1 c": exitUsage,
		"build --rewrite-repository a c": exitUsage, "build --max-file-size 0 c": exitUsage, "build --index-format x c": exitUsage,
		"build --log-level x c": exitUsage, "build --strict=x c": exitUsage,
		"serve --url :: --address localhost:0 c": exitUsage, "serve --poll 1ms c": exitUsage,
		"serve --max-connections 0 c": exitUsage, "serve --trusted-proxy x c": exitUsage, "serve --allowed-host h:80 c": exitUsage, "serve --allowed-host [ c": exitUsage,
		"serve --address x c":               exitUsage,
		"serve --address localhost:99999 c": exitUsage, "serve --debug-address x c": exitUsage, "serve --debug-address 0.0.0.0:0 c": exitUsage,
		"serve --context-path /a?b --address localhost:0 c": exitUsage, "serve --context-path /status --address localhost:0 c": exitUsage,
		"package": exitUsage, "package --version x c": exitUsage, "package --build-metadata ! c": exitUsage, "package --own-url :: c": exitUsage,
		"index": exitUsage, "index a b": exitUsage, "index --url http: c": exitUsage, "index --jobs -1 c": exitUsage,
		"mirror": exitUsage, "mirror ftp://h/x": exitUsage, "mirror --jobs 0 http://h/x": exitUsage, "mirror --retries -1 http://h/x": exitUsage,
		"mirror --chart @ http://h/x": exitUsage, "mirror --since x http://h/x": exitUsage, "mirror --latest -1 http://h/x": exitUsage,
		"mirror --exclude [ http://h/x": exitUsage, "mirror --password x http://h/x": exitUsage, "mirror --cert-file a http://h/x": exitUsage,
		"mirror --rate x http://h/x": exitUsage, "verify a b": exitUsage, "verify --jobs -1": exitUsage, "verify --output x": exitUsage,
		"images --jobs -1 c": exitUsage, "bundle create": exitUsage, "bundle create -o .": exitUsage, "bundle create --split 0 -o x": exitUsage,
		"bundle verify": exitUsage, "bundle load": exitUsage,
	} {
		t.Run(line, func(t *testing.T) {
			code, _, stderr := call(t, strings.Fields(line)...)
			if code != want || (stderr != "") != (want != exitOK) {
				t.Errorf("got exit status %d, want %d: %s", code, want, stderr)
			}
		})
	}
}

// With --log-format json every line on stdout and stderr is a record, of what goes well
// and of what fails.
func TestEveryLineIsARecord(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("CHARTSERVE_ADRESS", "x")
	writeChart(t, filepath.Join(dir, "good"), "nova", "1.0.0")
	writeFile(t, filepath.Join(dir, "bad", "Chart.yaml"), "apiVersion: v2\nname: bad\nversion: x\n")
	for _, c := range []struct {
		line string
		want int
	}{
		{"build --repo-path out good bad", exitOK}, {"build --strict --repo-path out bad", exitFailure}, {"build --url x good", exitUsage},
		{"build nosuch", exitFailure}, {"index out", exitOK}, {"index nosuch", exitFailure},
		{"package -d out bad", exitFailure}, {"mirror out --repo-path site", exitOK}, {"mirror out --repo-path site", exitOK},
		{"mirror nosuch --repo-path site", exitFailure}, {"bundle create -o x.tar good", exitOK}, {"bundle create -o y.tar nosuch", exitFailure},
		{"bundle load x.tar --repo-path other", exitOK}, {"bundle load x.tar --repo-path other", exitOK}, {"bundle load out/index.yaml", exitFailure},
		{"serve --address x good", exitUsage}, {"serve --address 203.0.113.1:0 good", exitFailure},
	} {
		code, stdout, stderr := call(t, append(strings.Fields(c.line), "--log-format", "json")...)
		lines := strings.Split(strings.TrimSpace(stdout+stderr), "\n")
		if code != c.want || len(lines) < 2 {
			t.Errorf("%s: exit status %d, want %d: %s%s", c.line, code, c.want, stdout, stderr)
		}
		for _, line := range lines {
			var record struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time == "" || record.Level == "" || record.Msg == "" {
				t.Errorf("%s: %v: %s", c.line, err, line)
			}
		}
	}
}
