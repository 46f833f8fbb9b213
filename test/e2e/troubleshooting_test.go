package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// TestWhatHelmSays: Helm's messages that docs/troubleshooting.md explains are what Helm 3 and 4
// say, in the cases that it has for them.
func TestWhatHelmSays(t *testing.T) {
	_, page, _ := strings.Cut(read(t, "../../docs/troubleshooting.md"), "## What Helm says")
	s := serve(t, samples(t))
	https := strings.Replace(s.root(), "http://", "https://", 1)
	registry := strings.Replace(s.root(), "http://", "oci://", 1)
	for _, name := range []string{"helm3", "helm4"} {
		h := helm(t, name)
		h.run(t, ".", "repo", "add", "here", s.root()+"/charts")
		for _, c := range []struct{ line, heading, words string }{
			{"repo add x http://127.0.0.1:1/charts", "is not a valid chart repository or cannot be reached", "connection refused"},
			{"repo add x " + s.root() + "/nosuch", "is not a valid chart repository or cannot be reached", "404 Not Found"},
			{"repo add x " + https + "/charts", "is not a valid chart repository or cannot be reached", "server gave HTTP response to HTTPS client"},
			{"repo add here http://127.0.0.1:1/other", "already exists, please specify a different name", ""},
			{"pull here/web --version 99.0.0", "not found in ... index. (try 'helm repo update')", ""},
			{"pull " + registry + "/charts/web", "http: server gave HTTP response to HTTPS client", ""},
		} {
			if name == "helm3" && strings.HasPrefix(c.line, "pull oci://") {
				continue // it tries plain HTTP by itself on this machine
			}
			if !strings.Contains(page, "### `"+c.heading+"`\n") || !strings.Contains(page, c.words) {
				t.Errorf("the page does not have %q with %q", c.heading, c.words)
			}
			want := strings.ReplaceAll(regexp.QuoteMeta(c.heading), `\.\.\.`, ".+")
			r := h.try(t, t.TempDir(), strings.Fields(c.line)...)
			if r.ok() || !regexp.MustCompile(want).MatchString(r.all()) || !strings.Contains(r.all(), c.words) {
				t.Errorf("%s %s: got %q, want %q and %q", name, c.line, r.all(), c.heading, c.words)
			}
		}
	}
}
