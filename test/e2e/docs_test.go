package e2e

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// isServer reports whether a command of a page starts a server.
func isServer(line string) bool {
	return strings.HasPrefix(line, "chartserve --") || strings.HasPrefix(line, "chartserve serve ")
}

// TestDocs does what pages of docs/ do, line by line: each server takes the place of the one
// before, in the same folder, and is asked what follows it. want is a part of what a command
// prints.
func TestDocs(t *testing.T) {
	const saved = `{"saved":true} 201`
	for page, want := range map[string]map[string]string{
		"access.md": {
			"htpasswd -cbB users ann s3cret":                                                                            "",
			"chartserve --allow-upload --htpasswd users charts":                                                         "",
			"helm repo add site http://localhost:8879/charts --username ann --password s3cret":                          "has been added",
			"curl --user ann:s3cret --data-binary @mychart-1.0.0.tgz http://localhost:8879/api/charts":                  saved,
			"chartserve token create ci --rights upload --charts 'web-*' --expires 90d --token-file tokens > ci.token":  "",
			"chartserve --allow-upload --token-file tokens --anonymous-read charts":                                     "",
			`curl --oauth2-bearer "$(cat ci.token)" --data-binary @web-shop-1.0.0.tgz http://localhost:8879/api/charts`: saved,
			"chartserve --allow-upload --access access.yaml charts":                                                     "",
		},
		"repositories.md": {
			"chartserve --repo-path ./store --repository osh=openstack-helm --repository infra=openstack-helm-infra --repository kept": "",
			"helm repo add osh http://localhost:8879/charts/osh":                                                                       "has been added",
			"chartserve --repo-path ./store --allow-upload --depth 1":                                                                  "",
			"curl --data-binary @mychart-1.0.0.tgz http://localhost:8879/charts/api/team/charts":                                       saved,
			"helm repo add team http://localhost:8879/charts/team":                                                                     "has been added",
		},
	} {
		t.Run(page, func(t *testing.T) {
			path := filepath.Join("..", "..", "docs", page)
			lines := shellLines(t, path)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(slices.Values(lines))); diff != "" {
				t.Fatalf("the commands of the page (-test +page):\n%s", diff)
			}
			m := newMove(t)
			charts := files{"access.yaml": yamlBlock(t, path)}
			for dir, name := range map[string]string{"charts/nova": "nova", "openstack-helm/keystone": "keystone", "openstack-helm-infra/mariadb": "mariadb", "made/web": "web-shop", "made/mychart": "mychart"} {
				charts[dir+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
			}
			charts.write(t, m.dir)
			if r := serveTool(t, m.dir, "package", "made/web", "made/mychart"); !r.ok() {
				t.Fatal(r.all())
			}
			for len(lines) > 0 {
				if !isServer(lines[0]) { // before any server
					m.says(t, lines[0], want[lines[0]])
					lines = lines[1:]
					continue
				}
				end := 1
				for end < len(lines) && !isServer(lines[end]) {
					end++
				}
				t.Run(lines[0], func(t *testing.T) {
					args := strings.Fields(strings.TrimPrefix(lines[0], "chartserve serve"))
					if args[0] == "chartserve" {
						args = args[1:]
					}
					s := serve(t, m.dir, args...)
					m.urls = strings.NewReplacer("http://localhost:8879", s.root())
					for _, line := range lines[1:end] {
						m.says(t, line, want[line])
					}
				})
				lines = lines[end:]
			}
		})
	}
}

// says runs a command, which has to print want.
func (m *move) says(t *testing.T, line, want string) {
	t.Helper()
	if got := m.run(t, line); !strings.Contains(got, want) {
		t.Errorf("%s: got %q, want %q", line, got, want)
	}
}

// yamlBlock is the first yaml block of a page, or empty.
func yamlBlock(t *testing.T, path string) string {
	t.Helper()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(read(t, path))
	if block == nil {
		return ""
	}
	return block[1]
}
