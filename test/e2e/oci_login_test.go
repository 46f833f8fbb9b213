package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ociGuarded is a server of samples that takes uploads of ann, over HTTPS with an authority of its own.
func ociGuarded(t *testing.T, args ...string) (s *server, ca string) {
	t.Helper()
	pki, dir := pki(t), samples(t)
	files{"users": users("ann")}.write(t, dir)
	args = append([]string{
		"--tls-cert", filepath.Join(pki, "server.crt"), "--tls-key", filepath.Join(pki, "server.key"),
		"--htpasswd", "users", "--allow-upload",
	}, args...)
	return serve(t, dir, append(args, ".")...), filepath.Join(pki, "ca.crt")
}

// ociActs are what each client does to read web 1.0.0, and to write, with and without a login.
// The lists begin with the client's name.
type ociActs struct {
	login, read, write []string
}

// ociActsOf are the acts of each client at host.
func ociActsOf(t *testing.T, host, ca string) map[string]ociActs {
	t.Helper()
	h, from := helm(t, "helm4"), host+"/charts/web:1.0.0"
	scratch := files{"hello.txt": "hello\n"}.write(t, t.TempDir())
	hello := filepath.Join(scratch, "hello.txt")
	acts := map[string]ociActs{
		"crane": {
			login: []string{"auth", "login", host, "-u", "ann", "-p", annsPassword},
			read:  []string{"manifest", from},
			write: []string{"copy", from, host + "/copies/crane:1"},
		},
		"oras": {
			login: []string{"login", host, "-u", "ann", "-p", annsPassword},
			read:  []string{"manifest", "fetch", from},
			write: []string{"push", host + "/things/oras:1", hello, "--disable-path-validation"},
		},
		"regctl": {
			login: []string{"registry", "login", host, "-u", "ann", "-p", annsPassword},
			read:  []string{"manifest", "get", from},
			write: []string{"image", "copy", from, host + "/copies/regctl:1"},
		},
		"skopeo": {
			login: []string{"login", host, "-u", "ann", "-p", annsPassword},
			read:  []string{"inspect", "--raw", "docker://" + from},
			write: []string{"copy", "--insecure-policy", "docker://" + from, "docker://" + host + "/copies/skopeo:1"},
		},
	}
	for _, name := range helms() {
		acts[name] = ociActs{
			login: []string{"registry", "login", host, "-u", "ann", "-p", annsPassword, "--ca-file", ca},
			read:  []string{"show", "chart", "oci://" + host + "/charts/web", "--version", "~1.0", "--ca-file", ca},
			write: []string{"push", pushable(t, h, t.TempDir(), name, "1.0.0", "1"), "oci://" + host + "/charts", "--ca-file", ca},
		}
	}
	return acts
}

// ociClient is any client that knows registries, trusting ca.
func ociClient(t *testing.T, name, ca string) *client {
	t.Helper()
	if strings.HasPrefix(name, "helm") {
		return helm(t, name)
	}
	return tool(t, name).trusting(ca)
}

// trusting is c with one authority for HTTPS.
func (c *client) trusting(ca string) *client {
	copied := *c
	copied.env = append(slices.Clone(c.env), "SSL_CERT_FILE="+ca)
	return &copied
}

// TestOCILogin: over HTTPS each client reads what anybody may read, is told that its password
// is wrong, and writes once it has logged in; where all need a login, it reads only then.
func TestOCILogin(t *testing.T) {
	for what, anonymous := range map[string]bool{"open to read": true, "closed": false} {
		t.Run(what, func(t *testing.T) {
			var args []string
			if anonymous {
				args = []string{"--anonymous-read"}
			}
			s, ca := ociGuarded(t, args...)
			for name, acts := range ociActsOf(t, s.host(t), ca) {
				t.Run(name, func(t *testing.T) {
					c := ociClient(t, name, ca)
					if r := c.try(t, ".", acts.read...); r.ok() != anonymous {
						t.Errorf("read as nobody: exit %d\n%s", r.code, r.all())
					}
					if r := c.try(t, ".", acts.write...); r.ok() {
						t.Errorf("write as nobody: %s", r.all())
					}
					c.refusedLogin(t, acts)
					if r := c.logsIn(t, acts.login...); !r.ok() {
						t.Fatalf("login: %s", r.all())
					}
					c.run(t, ".", acts.read...)
					c.run(t, ".", acts.write...)
				})
			}
			if logs := s.logs.String(); strings.Contains(logs, annsPassword) || strings.Contains(logs, "wrong-word") {
				t.Error("a password is in the log")
			}
		})
	}
}

// refusedLogin logs in with a wrong password, which crane does not notice: it only notes it down.
func (c *client) refusedLogin(t *testing.T, acts ociActs) {
	t.Helper()
	wrong := append([]string{}, acts.login...)
	for i, arg := range wrong {
		if arg == annsPassword {
			wrong[i] = "wrong-word"
		}
	}
	if r := c.logsIn(t, wrong...); r.ok() && c.name != "crane" {
		t.Errorf("login with a wrong password: %s", r.all())
	}
}

// logsIn is try for commands that warn of the password on their command line.
func (c *client) logsIn(t *testing.T, args ...string) result {
	t.Helper()
	return execute(t, ".", c.env, c.path, args...)
}

// TestOCICertificate: a client certificate is a login for Helm and oras.
func TestOCICertificate(t *testing.T) {
	pki, dir := pki(t), samples(t)
	files{"access.yaml": "certificates: [{subject: client, name: ci}]\ngrants: [{names: [ci], rights: [read, upload]}]\n"}.write(t, dir)
	ca := filepath.Join(pki, "ca.crt")
	s := serve(t, dir, "--tls-cert", filepath.Join(pki, "server.crt"), "--tls-key", filepath.Join(pki, "server.key"), "--client-ca", ca,
		"--access", "access.yaml", "--allow-upload", ".")
	own := []string{"--ca-file", ca, "--cert-file", filepath.Join(pki, "client.crt"), "--key-file", filepath.Join(pki, "client.key")}
	at := s.host(t) + "/charts"
	for _, name := range helms() {
		h := helm(t, name)
		if r := h.try(t, t.TempDir(), "pull", "oci://"+at+"/web", "--ca-file", ca); r.ok() {
			t.Errorf("%s: without a certificate", name)
		}
		h.pull(t, append([]string{"oci://" + at + "/web", "--version", "~1.0"}, own...)...)
		h.run(t, ".", append([]string{"push", pushable(t, h, t.TempDir(), name, "1.0.0", "1"), "oci://" + at}, own...)...)
	}
	tool(t, "oras").run(t, ".", append([]string{"repo", "tags", at + "/web"}, own...)...)
}

// TestOCIRights: a token that may write some charts only writes those, and who may read some
// only reads those.
func TestOCIRights(t *testing.T) {
	dir := samples(t)
	create := func(name string, args ...string) string {
		r := serveTool(t, dir, append([]string{"token", "create", name, "--token-file", "tokens"}, args...)...)
		if !r.ok() {
			t.Fatal(r.all())
		}
		return strings.TrimSpace(r.stdout)
	}
	ci, reader := create("ci", "--rights", "read,upload", "--charts", "web,web-*"), create("reader", "--rights", "read")
	s := serve(t, dir, "--allow-upload", "--token-file", "tokens", ".")
	host := s.host(t)
	for _, name := range helms() {
		h := helm(t, name)
		if r := h.logsIn(t, "registry", "login", host, "-u", "ci", "-p", ci, "--plain-http"); !r.ok() {
			t.Fatalf("%s: login: %s", name, r.all())
		}
		h.pull(t, "oci://"+host+"/charts/web", "--plain-http")
		if r := h.try(t, t.TempDir(), "pull", "oci://"+host+"/charts/modern", "--plain-http"); r.ok() {
			t.Errorf("%s: what it may not read", name)
		}
		if r := h.pushes(t, pushable(t, h, t.TempDir(), "web-"+name, "1.0.0", "1"), host+"/charts"); !r.ok() {
			t.Errorf("%s: push: %s", name, r.all())
		}
		if r := h.pushes(t, pushable(t, h, t.TempDir(), "db", "1.0.0", "1"), host+"/charts"); r.ok() || !strings.Contains(r.all(), "403") {
			t.Errorf("%s: push of another: exit %d\n%s", name, r.code, r.all())
		}
	}
	crane := tool(t, "crane")
	crane.logsIn(t, "auth", "login", host, "-u", "ci", "-p", ci)
	for _, name := range lines(crane.run(t, ".", "catalog", host)) {
		if !strings.HasPrefix(name, "charts/web") {
			t.Errorf("the catalog has %s", name)
		}
	}
	// Who has no right to is refused also what needs no upload of a blob.
	for what, c := range map[string]struct {
		user, token string
		act         []string
	}{
		"a tag":            {"reader", reader, []string{"tag", host + "/charts/web-helm3:1.0.0", "other"}},
		"a copy":           {"ci", ci, []string{"copy", host + "/charts/web-helm3:1.0.0", host + "/charts/db:1.0.0"}},
		"a copy of secret": {"ci", ci, []string{"copy", host + "/charts/modern:2.0.0", host + "/charts/web-copy:1.0.0"}},
		"a tag deleted":    {"ci", ci, []string{"delete", host + "/charts/web-helm3:1.0.0"}},
	} {
		other := tool(t, "crane")
		other.logsIn(t, "auth", "login", host, "-u", c.user, "-p", c.token)
		if r := other.try(t, ".", c.act...); r.ok() || !strings.Contains(r.all(), "DENIED") && !strings.Contains(r.all(), "403") {
			t.Errorf("%s: exit %d\n%s", what, r.code, r.all())
		}
	}
	if logs := s.logs.String(); strings.Contains(logs, ci) || strings.Contains(logs, reader) {
		t.Error("a token is in the log")
	}
}
