//go:build linux

package docs

import (
	"strings"
	"testing"
	"time"
)

// block is a block of a page.
func block(tag string, lines ...string) string {
	return "```" + tag + "\n" + strings.Join(lines, "\n") + "\n```\n"
}

// TestWrongPages: whatever is otherwise than a page says is told, with the page and the line.
func TestWrongPages(t *testing.T) {
	for name, tt := range map[string]struct{ page, want string }{
		"a wrong output":              {block("console", "$ echo one", "two"), "x.md:2: echo one\nit prints something else"},
		"a missing output":            {block("console", "$ true", "two"), "it prints something else"},
		"more output":                 {block("console", "$ echo one"), "it prints something else"},
		"a wrong output of a list":    {block("sh", "echo one") + "\n" + block("", "two"), "x.md:6: it prints something else"},
		"a wrong output with a mark":  {block("sh", "echo '{}'") + "\n<!-- run: prints -->\n" + block("json", "[]"), "it prints something else"},
		"a failing command":           {block("sh", "echo why", "false", "true"), "false\nexit status 1, want 0:"},
		"a failing command in a pipe": {block("sh", "false | cat"), "exit status 1, want 0"},
		"a command that is not there": {block("sh", "no-such-command"), "no-such-command: command not found"},
		"another status":              {"<!-- run: exit 1 -->\n" + block("sh", "true"), "exit status 0, want 1"},
		"no list of commands":         {block("sh", "if true; then"), "not a list of commands"},
		"a target that is not there":  {"<!-- run\ncheckout ~/chartserve && sed -i s/e2e/e3e/ Makefile\n-->\n" + block("sh", "make e2e ROWS=1"), "exit status 2, want 0"},
		"the end of the shell":        {block("sh", "exit 3"), "the shell has ended"},
		"a failing comment":           {"<!-- run\nfalse\n-->\n", "x.md:1: false\nexit status 1, want 0"},
		"an answer that is an error":  {block("sh", "chartserve --repo-path r", "curl http://localhost:8879/none"), "404"},
		"a server that does not start": {
			block("sh", "chartserve --tls-cert none --tls-key none --repo-path r"), "exit status 1, want 0"},
		"a server that has ended":  {"<!-- run: server -->\n" + block("sh", "sleep 0.1") + "\n" + block("sh", "sleep 0.3"), "the server has ended by itself"},
		"a log that does not come": {block("sh", "chartserve --repo-path r") + "\n<!-- run: log -->\n" + block("", "level=INFO msg=never"), "the server does not say\nlevel=INFO msg=never"},
		"a setup that is missing":  {"<!-- run: setup none -->\n" + block("sh", "true"), "setup/none.sh"},
		"a host outside":           {block("sh", "curl http://192.0.2.99/"), "curl: (7)"},

		"an unknown tag":             {block("shell", "true"), `x.md:2: unknown tag "shell"`},
		"commands as text":           {block("text", "chartserve build charts"), "a block of text with commands"},
		"output of nothing":          {block("", "one"), "output of which commands?"},
		"indented commands":          {"Do:\n\n    $ helm repo list\n", "an indented block with commands"},
		"a session without a prompt": {block("console", "helm repo list"), "begins with a command"},
		"an unknown mark":            {"<!-- run: perhaps -->\n" + block("sh", "true"), `"perhaps" is no mark`},
		"an unknown reason":          {"<!-- run: no, too slow -->\n" + block("sh", "true"), `"no, too slow" is no mark`},
		"a mark of data":             {"<!-- run: exit 1 -->\n" + block("yaml", "a: b"), "has to be file NAME or prints"},
		"two marks":                  {"<!-- run: exit 1 -->\n<!-- run: stop -->\n" + block("sh", "false"), "two marks for one block"},
		"a mark before text":         {"<!-- run: prints -->\nText.\n", "x.md:1: the mark is before no block"},
		"a mark at the end":          {"<!-- run: prints -->\n", "x.md:1: the mark is before no block"},
		"a comment of another form":  {"<!-- run true -->\n", "a comment for the runner is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, "x.md", []byte(tt.page), time.Second/2)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestGoodPage: what a page may have, with what is counted.
func TestGoodPage(t *testing.T) {
	page := block("sh", "mkdir charts && cd charts", "name=web", "cat >here <<END", "two $name", "END") + "\n" +
		block("console", "$ cat here", "two web", "$ cd ..", "$ echo a \\", "  b", "a b", "$ seq 5", "1", "...", "5", "$ echo at 2026-01-31T12:00:00Z in 3.25s", "at 2020-01-02T03:04:05Z in 0.01s") +
		"\n<!-- run: file made/by/hand.yaml -->\n" + block("yaml", "a: $b") + "\n" + block("sh", "cat made/by/hand.yaml") + "\n<!-- run: prints -->\n" + block("yaml", "a: $b") +
		"\n<!-- run: exit 3 -->\n" + block("sh", "true", "(exit 3)") +
		"\n<!-- run: no, needs a cluster -->\n" + block("sh", "kubectl get pods") + "\n" + block("", "NAME  READY") +
		"\n<!-- run\n$ echo hidden\nhidden\n-->\n" +
		block("sh", "chartserve --repo-path r") + "\n" + block("", "...", "http://localhost:8879/charts", "...") + "\n" +
		block("console", "$ chartserve --address :8879 --repo-path r", "...", "  helm repo add local http://192.0.2.10:8879/charts", "$ helm4 repo add local http://192.0.2.10:8879/charts", `"local" has been added to your repositories`) +
		"\n<!-- run: log -->\n" + block("", `level=INFO msg="listening; reading the charts" url=http://localhost:8879/charts`) + "\n" +
		block("yaml", "a: b") + "\n    a: b\n"
	report, err := run(t, "x.md", []byte(page), time.Minute)
	if err != nil {
		t.Error(err)
	}
	if report.Run != 14 || report.Compared != 11 || len(report.Not) != 1 || report.Not[0] != "x.md:46: needs a cluster" {
		t.Errorf("got %+v", report)
	}
}
