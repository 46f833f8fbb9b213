package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pushing is Helm 3 with ChartMuseum's plugin.
func pushing(t *testing.T) *client {
	t.Helper()
	c := helm(t, "helm3")
	plugins := files{
		"cm-push/plugin.yaml": "name: cm-push\nversion: 0.10.4\nusage: pushes charts\ndescription: pushes charts\n" +
			"command: $HELM_PLUGIN_DIR/helm-cm-push\ndownloaders:\n- {command: helm-cm-push, protocols: [cm]}\n",
	}.write(t, t.TempDir())
	must(t, os.Symlink(binary(t, "helm-cm-push"), filepath.Join(plugins, "cm-push", "helm-cm-push")))
	c.env = append(c.env, "HELM_PLUGINS="+plugins)
	return c
}

// TestCMPush: ChartMuseum's own plugin publishes, wherever the repository is.
func TestCMPush(t *testing.T) {
	for _, context := range []string{"/charts", "/helm/stable", "/"} {
		t.Run(context, func(t *testing.T) {
			dir := files{"mychart/Chart.yaml": "apiVersion: v1\nname: mychart\nversion: 1.0.0\n"}.write(t, t.TempDir())
			c := pushing(t)
			c.run(t, dir, "package", "mychart")
			s := serve(t, dir, "--allow-upload", "--context-path", context, "--repo-path", "archives")
			c.run(t, dir, "cm-push", "mychart-1.0.0.tgz", s.URL)
			c.run(t, dir, "repo", "add", "site", s.URL)
			c.run(t, dir, "cm-push", "mychart", "site", "--version", "1.1.0")
			if got := len(s.index(t)); got != 2 {
				t.Errorf("there are %d versions", got)
			}
			must(t, os.WriteFile(filepath.Join(dir, "mychart", "README.md"), []byte("changed"), 0o644))
			if r := c.try(t, dir, "cm-push", "mychart", "site"); r.code != 1 || !strings.Contains(r.all(), "409: chart already exists") {
				t.Errorf("other bytes: exit %d, %s", r.code, r.all())
			}
			c.run(t, dir, "cm-push", "--force", "mychart", "site")
			if got := read(t, filepath.Join(c.pull(t, "site/mychart", "--version", "1.0.0", "--untar"), "mychart", "README.md")); got != "changed" {
				t.Errorf("after --force: %q", got)
			}
			c.env = append(c.env, "HELM_REPO_USE_HTTP=true")
			c.run(t, dir, "repo", "add", "own", strings.Replace(s.URL, "http", "cm", 1))
			c.pull(t, "own/mychart")
		})
	}
}

// TestCMPushLogsIn: over HTTPS, with a password, a token, and a certificate, and without.
func TestCMPushLogsIn(t *testing.T) {
	dir := pki(t)
	files{
		"web/Chart.yaml": "apiVersion: v1\nname: web\nversion: 1.0.0\n",
		"users":          users("ann"),
		"access.yaml": "htpasswd: [users]\ntokenFiles: [tokens]\ncertificates: [{subject: client, name: builder}]\n" +
			"grants: [{names: [ann, builder], rights: [read, upload]}]\n",
	}.write(t, dir)
	create := func(name string, args ...string) string {
		r := serveTool(t, dir, append([]string{"token", "create", name, "--token-file", "tokens"}, args...)...)
		if !r.ok() {
			t.Fatal(r.all())
		}
		return strings.TrimSpace(r.stdout)
	}
	ci, db := create("ci", "--rights", "read,upload"), create("db", "--rights", "read,upload", "--charts", "db")
	s := serve(t, dir, "--allow-upload", "--access", "access.yaml", "--tls-cert", "server.crt", "--tls-key", "server.key", "--client-ca", "ca.crt", "--repo-path", "archives")
	c := pushing(t)
	ca := []string{"--ca-file", "ca.crt"}
	c.run(t, dir, append([]string{"repo", "add", "site", s.URL, "--username", "ann", "--password", "pass-ann"}, ca...)...)
	for version, tt := range map[string]struct {
		to    string
		flags []string
		fails string
	}{
		"1.0.0": {to: "site"}, // with what Helm knows of it
		"1.0.1": {to: s.URL, flags: []string{"--username", "ann", "--password", "pass-ann"}},
		"1.0.2": {to: s.URL, flags: []string{"--access-token", ci}},
		"1.0.3": {to: s.URL, flags: []string{"--username", "ci", "--password", ci}},
		"1.0.4": {to: s.URL, flags: []string{"--cert-file", "client.crt", "--key-file", "client.key"}},
		"2.0.0": {to: s.URL, fails: "401"},
		"2.0.1": {to: s.URL, flags: []string{"--username", "ann", "--password", "wrong"}, fails: "401"},
		"2.0.2": {to: s.URL, flags: []string{"--access-token", db}, fails: "403: db may not upload charts of the name web"},
	} {
		r := c.try(t, dir, append(append([]string{"cm-push", "web", tt.to, "--version", version}, ca...), tt.flags...)...)
		if r.ok() != (tt.fails == "") || !strings.Contains(r.all(), tt.fails) {
			t.Errorf("%s %v: exit %d, %s", version, tt.flags, r.code, r.all())
		}
	}
	c.run(t, dir, "repo", "update")
	if got := c.search(t, "web"); len(got) != 5 {
		t.Errorf("there is %v", got)
	}
	for _, secret := range []string{"pass-ann", ci, db} {
		if strings.Contains(s.logs.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
}
