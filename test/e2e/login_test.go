package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestLogin has the real clients read from a server that asks for a login: with a
// password, with a token in its place, and without either.
func TestLogin(t *testing.T) {
	dir := files{
		"charts/nova/Chart.yaml": "apiVersion: v1\nname: nova\nversion: 1.0.0\n",
		"users":                  "ann:$2y$05$TM3Z/zHXCAvONTM8NxfkAeoZvM95QGkvmdX6wQVYvQRu7b8Xe3lRC\n",
	}.write(t, t.TempDir())
	create := func(args ...string) string {
		r := execute(t, dir, environment(t.TempDir()), program(t), append([]string{"token", "create", "--token-file", "tokens"}, args...)...)
		if !r.ok() {
			t.Fatal(r.all())
		}
		return strings.TrimSpace(r.stdout)
	}
	const password = "s3cret-word"
	reader, writer := create("reader"), create("writer", "--rights", "upload")
	s := serve(t, dir, "--allow-upload", "--htpasswd", "users", "--token-file", "tokens", "charts")

	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			c := helm(t, name)
			login := func(user, password string) []string { return []string{"--username", user, "--password", password} }
			for why, refused := range map[string][]string{
				"401 Unauthorized": nil, "401": login("ann", "wrong"), "403": login("writer", writer),
			} {
				r := c.try(t, ".", append([]string{"repo", "add", "site", s.URL}, refused...)...)
				if r.ok() || !strings.Contains(r.all(), why) {
					t.Errorf("repo add %v: %s", refused, r.all())
				}
			}
			c.run(t, ".", append([]string{"repo", "add", "site", s.URL}, login("ann", password)...)...)
			c.run(t, ".", "repo", "update")
			if got := c.search(t, "nova"); len(got) != 1 {
				t.Errorf("search: %v", got)
			}
			if got := filepath.Base(only(t, c.pull(t, "site/nova"))); got != "nova-1.0.0.tgz" {
				t.Errorf("pull: %s", got)
			}
			c.run(t, ".", append([]string{"repo", "add", "token", s.URL}, login("reader", reader)...)...)
			c.pull(t, "token/nova", "--version", "1.0.0")
			c.pull(t, append([]string{"nova", "--repo", s.URL}, login("ann", password)...)...)
			if c.major > 2 {
				c.pull(t, append([]string{s.URL + "/nova-1.0.0.tgz", "--pass-credentials"}, login("reader", reader)...)...)
			}
		})
	}
	for _, secret := range []string{password, reader, writer} {
		if strings.Contains(s.logs.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// TestUploadWithLogin is what the documentation does with curl.
func TestUploadWithLogin(t *testing.T) {
	dir := files{
		"charts/nova/Chart.yaml": "apiVersion: v2\nname: nova\nversion: 1.0.0\n",
		"web/Chart.yaml":         "apiVersion: v2\nname: web-a\nversion: 1.0.0\n",
		"db/Chart.yaml":          "apiVersion: v2\nname: db\nversion: 1.0.0\n",
	}.write(t, t.TempDir())
	env := environment(t.TempDir())
	run := func(args ...string) string {
		r := execute(t, dir, env, args[0], args[1:]...)
		if !r.ok() {
			t.Fatalf("%s: %s", args, r.all())
		}
		return strings.TrimSpace(r.stdout)
	}
	run(program(t), "package", "web", "db")
	token := run(program(t), "token", "create", "ci", "--rights", "upload", "--charts", "web-*", "--expires", "90d", "--token-file", "tokens")
	s := serve(t, dir, "--allow-upload", "--token-file", "tokens", "--anonymous-read", "charts")

	curl := func(args ...string) string {
		return run(append([]string{"curl", "-sS", "-w", " %{http_code}"}, args...)...)
	}
	upload := func(args ...string) string { return curl(append(args, s.URL+"/api/charts")...) }
	for _, c := range []struct{ got, want string }{
		{upload("--data-binary", "@web-a-1.0.0.tgz"), `{"error":"unauthorized"} 401`},
		{upload("--oauth2-bearer", token, "--data-binary", "@web-a-1.0.0.tgz"), `{"saved":true} 201`},
		{upload("--user", "ci:"+token, "-F", "chart=@web-a-1.0.0.tgz"), `{"saved":true} 200`},
		{upload("--user", "ci:"+token, "--data-binary", "@db-1.0.0.tgz"), `{"error":"ci may not upload charts of the name db"} 403`},
		{curl("--user", "ci:"+token, "-T", "db-1.0.0.tgz", s.URL+"/"), "ci may not upload charts of the name db\n 403"},
		{curl("--user", "ci:"+token, "-X", "DELETE", s.URL+"/api/charts/web-a/1.0.0"), `{"error":"ci may not delete charts"} 403`},
		{curl("--user", "ci:"+token, "-o", "none", s.URL+"/index.yaml"), "200"}, // as everybody
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if index := curl(s.URL + "/index.yaml"); !strings.Contains(index, "web-a") || strings.Contains(index, "name: db") {
		t.Errorf("the index: %s", index)
	}
}
