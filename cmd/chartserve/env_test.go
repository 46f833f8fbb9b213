package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// forEachCommand calls f with every command of chartserve itself, those of groups too.
func forEachCommand(t *testing.T, f func(t *testing.T, cmd *cobra.Command)) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			return // cobra's
		}
		t.Run(cmd.CommandPath(), func(t *testing.T) { f(t, cmd) })
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(func() {}))
}

func TestHelpNamesEachVariable(t *testing.T) {
	forEachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		help := cmd.UsageString()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			name := envName(f)
			if name == "" || f.Hidden {
				return
			}
			if want := "[$CHARTSERVE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) + "]"; !strings.Contains(help, want) {
				t.Errorf("the help does not hold %q", want)
			}
		})
	})
}

func TestHelpTeaches(t *testing.T) {
	forEachCommand(t, func(t *testing.T, cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("short, long or example is missing")
		}
		for _, line := range strings.Split(cmd.UsageString()+cmd.Long, "\n") {
			if len(line) > 100 {
				t.Errorf("line of %d columns: %q", len(line), line)
			}
		}
	})
}

func TestApplyEnv(t *testing.T) {
	type flags struct {
		Word  string
		Many  []string
		Count int
		On    bool
	}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		want flags
		err  string
	}{
		"nothing":           {want: flags{Word: "default"}},
		"all":               {env: map[string]string{"CHARTSERVE_A_WORD": "w", "CHARTSERVE_MANY": "a,b", "CHARTSERVE_COUNT": "3", "CHARTSERVE_ON": "true"}, want: flags{"w", []string{"a", "b"}, 3, true}},
		"command line wins": {args: []string{"--a-word=x", "--many=c"}, env: map[string]string{"CHARTSERVE_A_WORD": "w", "CHARTSERVE_MANY": "a,b"}, want: flags{Word: "x", Many: []string{"c"}}},
		"wins over bad":     {args: []string{"--count=1"}, env: map[string]string{"CHARTSERVE_COUNT": "x"}, want: flags{Word: "default", Count: 1}},
		"empty is unset":    {env: map[string]string{"CHARTSERVE_A_WORD": "", "CHARTSERVE_MANY": " , \n", "CHARTSERVE_COUNT": ""}, want: flags{Word: "default"}},
		"lines":             {env: map[string]string{"CHARTSERVE_MANY": "a\n b=c \n"}, want: flags{Word: "default", Many: []string{"a", "b=c"}}},
		"others are fine":   {env: map[string]string{"CHARTSERVE_PORT": "tcp://10.0.0.1:8879"}, want: flags{Word: "default"}},
		"bad number":        {env: map[string]string{"CHARTSERVE_COUNT": "three"}, err: `environment variable CHARTSERVE_COUNT: invalid value "three": not a number (invalid syntax)`},
		"bad bool":          {env: map[string]string{"CHARTSERVE_ON": "maybe"}, err: `environment variable CHARTSERVE_ON: invalid value "maybe": write true or false`},
	} {
		t.Run(name, func(t *testing.T) {
			var got flags
			fs := pflag.NewFlagSet("", pflag.ContinueOnError)
			fs.StringVar(&got.Word, "a-word", "default", "")
			fs.StringArrayVar(&got.Many, "many", nil, "")
			fs.IntVar(&got.Count, "count", 0, "")
			fs.BoolVar(&got.On, "on", false, "")
			if err := fs.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			err := applyEnv(fs, func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("got error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}
