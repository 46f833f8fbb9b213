package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// client is one real client with a home of its own.
type client struct {
	name  string // helm2, helm3, helm4, or that of a registry client
	path  string
	env   []string
	major int // Helm's
}

// clients are all that TACO sites run side by side.
func clients() []string { return []string{"helm2", "helm3", "helm4"} }

// binary is the path of a client. A missing client fails the test: one that is
// skipped in silence proves nothing.
func binary(t *testing.T, name string) string {
	t.Helper()
	variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join("..", "..", "bin", name)
	}
	path, err := filepath.Abs(path)
	must(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no client (run test/clients.sh, or set %s): %v", variable, err)
	}
	return path
}

// helm finds a Helm and gives it an empty home.
func helm(t *testing.T, name string) *client {
	t.Helper()
	home := t.TempDir()
	c := &client{name: name, path: binary(t, name), major: int(name[4] - '0'), env: environment(home)}
	if c.major == 2 {
		c.env = append(c.env, "HELM_HOME="+filepath.Join(home, ".helm"))
		if r := execute(t, home, c.env, c.path, "init", "--client-only", "--skip-refresh", "--skip-repos"); !r.ok() {
			t.Fatalf("helm2 init: exit %d\n%s", r.code, r.all())
		}
		// What init writes unless it is kept from the network; package needs it.
		files{"index.yaml": "apiVersion: v1\nentries: {}\n"}.write(t, filepath.Join(home, ".helm", "repository", "local"))
	}
	return c
}

// try runs the client in dir and tells how it went. Whatever the outcome, it must
// not have warned of anything.
func (c *client) try(t *testing.T, dir string, args ...string) result {
	t.Helper()
	r := execute(t, dir, c.env, c.path, args...)
	for line := range strings.Lines(r.all()) {
		if strings.Contains(line, "WARNING") {
			t.Errorf("%s %s warns: %s", c.name, strings.Join(args, " "), line)
		}
	}
	return r
}

// run is try for commands that must work. It gives stdout.
func (c *client) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := c.try(t, dir, args...)
	if !r.ok() {
		t.Fatalf("%s %s: exit %d\n%s", c.name, strings.Join(args, " "), r.code, r.all())
	}
	return r.stdout
}

// found is one line of a search.
type found struct{ Name, Version, AppVersion string }

// search lists every version of the charts whose names hold word, sorted.
func (c *client) search(t *testing.T, word string) []found {
	t.Helper()
	args := []string{"search", "repo", "--versions", "--devel", "-o", "json", word}
	if c.major == 2 {
		args = slices.Delete(args, 1, 2)
	}
	var rows []struct {
		Name        string `json:"name"`
		Version     string `json:"version"`
		AppVersion  string `json:"app_version"`
		AppVersion2 string `json:"appVersion"`
	}
	out := c.run(t, ".", args...)
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%s search: %v\n%s", c.name, err, out)
	}
	list := make([]found, 0, len(rows))
	for _, r := range rows {
		list = append(list, found{r.Name, r.Version, r.AppVersion + r.AppVersion2})
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Name+" "+list[i].Version < list[j].Name+" "+list[j].Version
	})
	return list
}

// pull downloads a chart into a fresh directory, which it gives.
func (c *client) pull(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	c.run(t, dir, append([]string{c.fetches()}, args...)...)
	return dir
}

// fetches is the command that downloads a chart.
func (c *client) fetches() string {
	if c.major == 2 {
		return "fetch"
	}
	return "pull"
}

// show prints one part of a chart: chart, values or readme.
func (c *client) show(t *testing.T, part, ref string, args ...string) string {
	t.Helper()
	verb := "show"
	if c.major == 2 {
		verb = "inspect"
	}
	return c.run(t, ".", append([]string{verb, part, ref}, args...)...)
}

// template renders a chart that lies on disk.
func (c *client) template(t *testing.T, path string) string {
	t.Helper()
	if c.major == 2 {
		return c.run(t, ".", "template", "--name", "x", path)
	}
	return c.run(t, ".", "template", "x", path)
}

// pack runs `helm package` into dest and gives the archive's path, or "" and why.
func (c *client) pack(t *testing.T, chart, dest string, args ...string) (path string, r result) {
	t.Helper()
	args = append([]string{"package", chart, "-d", dest}, args...)
	if c.major == 2 {
		args = append(args, "--save=false")
	}
	r = c.try(t, ".", args...)
	return packaged(r), r
}

// packaged finds the archive's path in what a package command printed.
func packaged(r result) string {
	const saved = "saved it to: "
	for line := range strings.Lines(r.stdout) {
		if _, path, ok := strings.Cut(line, saved); ok && r.ok() {
			return strings.TrimSpace(path)
		}
	}
	return ""
}
