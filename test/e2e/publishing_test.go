package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPublishing does what docs/publishing.md does with curl, and then has the real clients
// read what was published, in both forms of the index, which says where the API is.
func TestPublishing(t *testing.T) {
	const place = "http://localhost:8879/charts"
	var commands []string
	for _, line := range regexp.MustCompile(`(?m)^curl .+$`).FindAllString(read(t, "../../docs/publishing.md"), -1) {
		if strings.Contains(line, place) {
			commands = append(commands, line)
		}
	}
	answers := []string{
		`{"saved":true} 201`, // the archive
		`{"saved":true} 201`, // its provenance is new
		`{"saved":true} 200`, // that again
		`{"saved":true} 200`, // the archive again
		`{"deleted":true} 200`,
	}
	if len(commands) != len(answers) {
		t.Fatalf("the page has other commands: %q", commands)
	}
	k := newKeys(t, rsa)
	for _, format := range []string{"yaml", "json"} {
		t.Run(format, func(t *testing.T) {
			dir := files{"mychart/Chart.yaml": "apiVersion: v1\nname: mychart\nversion: 1.0.0\n"}.write(t, t.TempDir())
			env := environment(t.TempDir())
			run := func(args ...string) string {
				r := execute(t, dir, env, args[0], args[1:]...)
				if !r.ok() {
					t.Fatalf("%s: %s", args, r.all())
				}
				return strings.TrimSpace(r.stdout)
			}
			run(program(t), "package", "mychart", "--sign", "--key", "ann", "--keyring", k.secret)
			s := serve(t, dir, "--allow-upload", "--index-format", format, "--repo-path", "archives")
			for i, command := range commands {
				if i == len(commands)-1 {
					published(t, s, k)
				}
				args := strings.Fields(strings.ReplaceAll(command, place, s.URL))
				if got := run(append(args, "-sS", "-w", " %{http_code}")...); got != answers[i] {
					t.Errorf("%s: got %s, want %s", command, got, answers[i])
				}
			}
			if all := s.index(t); len(all) != 0 {
				t.Errorf("deleted, and there is %v", all)
			}
		})
	}
}

// published has each client find, load and verify mychart.
func published(t *testing.T, s *server, k *keys) {
	if _, index := s.get(t, "/index.yaml"); !regexp.MustCompile(`serverInfo"?:\s*\{?\s*"?contextPath"?:\s*"/charts"`).Match(index) {
		t.Errorf("the index says nothing of the context path: %s", index)
	}
	for _, name := range clients() {
		c := helm(t, name)
		c.run(t, ".", "repo", "add", "site", s.URL)
		if got := c.search(t, "mychart"); len(got) != 1 {
			t.Errorf("%s: search: %v", name, got)
		}
		if dir := c.pull(t, "site/mychart", "--verify", "--keyring", k.public); filepath.Base(onlyArchive(t, dir)) != "mychart-1.0.0.tgz" {
			t.Errorf("%s: pull", name)
		}
	}
}

func onlyArchive(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("archives in %s: %v", dir, found)
	}
	return found[0]
}
