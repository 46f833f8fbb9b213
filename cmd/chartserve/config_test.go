package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"chartserve/internal/settings"
)

// update has tests write the files that they compare with: go test ./cmd/chartserve -update.
var update = flag.Bool("update", false, "write what is generated from the code")

// golden compares what was generated with the file of that name below docs.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = "../../docs/" + name
	if *update {
		writeFile(t, name, got)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the code says (make reference writes it; -file +code):\n%s", name, diff)
	}
}

func TestConfigSchema(t *testing.T) {
	code, schema, stderr := call(t, "config", "schema")
	if code != 0 || stderr != "" {
		t.Fatal(code, stderr)
	}
	golden(t, "config.schema.json", schema)
}

// Whatever a flag's default is, it can be written into a file, with the same result.
func TestDefaultsInFile(t *testing.T) {
	for key, owners := range keys(newRoot(func() {})) {
		for _, o := range owners {
			value := defaultOf(o.flag)
			if value == nil || key == "rate" || key == "split" { // 0 is what can't be written
				continue
			}
			text := fmt.Sprintf("%s: %v", key, value)
			if list, ok := value.([]string); ok {
				text = key + `: ["` + strings.Join(list, `", "`) + `"]`
			}
			all, wrong := settings.Parse([]byte(text))
			if len(wrong) > 0 {
				t.Fatal(text, wrong)
			}
			before := o.flag.Value.String()
			if err := setFlag(o.cmd.Flags(), o.flag, all[0]); err != nil || o.flag.Value.String() != before {
				t.Errorf("%s: %q: got %s, want %s (%v)", o.cmd.CommandPath(), text, o.flag.Value, before, err)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"url", "url-prefix", "keep-replaced", "poll", "line"} {
		fs.String(name, "", "")
		_ = fs.Set(name, "x")
		if name != "line" {
			setOrigin(fs.Lookup(name), "f:1")
		}
	}
	fs.String("htpasswd", "/etc/users", "`FILE` of users")
	setOrigin(fs.Lookup("htpasswd"), "f:2")
	for text, want := range map[string]string{
		"access: open /etc/users: no such file": " (--htpasswd is from f:2)",
		"access: open /etc/users2: x":           "",
		"--poll is bad":                         " (--poll is from f:1)",
		"--poll: --url":                         " (--poll is from f:1, --url is from f:1)",
		"--url-prefix is bad":                   " (--url-prefix is from f:1)",
		`url "x": bad`:                          " (--url is from f:1)",
		"keep replaced archives for -1: x":      " (--keep-replaced is from f:1)",
		"an url is bad":                         "",
		"urls are bad":                          "",
		"--polls":                               "",
		"--line is bad":                         "",
	} {
		if got := origins(fs, text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// FuzzConfig has the server's flags set by any file: none makes it panic, and whatever is
// refused is refused with a place in the file.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("address: :8879\nkeep-for: 90d\nprune: true\njobs: 3\nexclude: [a]\naccess-log: x\n"))
	f.Add([]byte("output: json\nmax-file-size: 1\npoll: 0\n"))
	known := keys(newRoot(func() {}))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, wrong := settings.Parse(data)
		if len(wrong) > 0 {
			return
		}
		server := newServe()
		for _, err := range applyFile(server.Flags(), known, all, "f") {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Error(err)
			}
		}
		for _, err := range others(all, known, server, "f") {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Error(err)
			}
		}
	})
}
