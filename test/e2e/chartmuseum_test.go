package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shellLines are the commands of a page's sh blocks.
func shellLines(t *testing.T, page string) (lines []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(read(t, page), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

// move is a host that moves from ChartMuseum as the page says. Another chartserve is the old
// server: its API is the same.
type move struct {
	*client
	dir  string
	urls *strings.Replacer
}

// run runs a command of the page, and returns what it printed.
func (m *move) run(t *testing.T, line string) string {
	t.Helper()
	line = m.urls.Replace(strings.ReplaceAll(line, "curl ", `curl -sS -w ' %{http_code}' `))
	r := execute(t, m.dir, append(m.env, "PATH="+filepath.Join(m.dir, "bin")+":"+os.Getenv("PATH")), "sh", "-c", line)
	if !r.ok() {
		t.Fatalf("%s: exit %d\n%s", line, r.code, r.all())
	}
	return strings.TrimSpace(r.stdout)
}

func newMove(t *testing.T) *move {
	t.Helper()
	k := newKeys(t, rsa)
	m := &move{client: pushing(t), dir: t.TempDir(), urls: strings.NewReplacer()}
	files{
		"mychart/Chart.yaml":            "apiVersion: v1\nname: mychart\nversion: 0.1.0\n",
		"old/Chart.yaml":                "apiVersion: v1\nname: old\nversion: 2.0.0-rc.1\n",
		"chartstorage/index-cache.yaml": "apiVersion: v1\nentries: {}\n",
		"bin/":                          "",
	}.write(t, m.dir)
	must(t, os.Symlink(program(t), filepath.Join(m.dir, "bin", "chartserve")))
	must(t, os.Symlink(m.path, filepath.Join(m.dir, "bin", "helm")))
	sign := []string{"--sign", "--key", "ann", "--keyring", k.secret}
	for to, chart := range map[string]string{".": "mychart", "chartstorage": "old", "tenants/org1/repoa": "old"} {
		if r := serveTool(t, m.dir, append([]string{"package", "-d", to, chart}, sign...)...); !r.ok() {
			t.Fatal(r.all())
		}
	}
	return m
}

// TestFromChartMuseum does what docs/from-chartmuseum.md does, line by line.
func TestFromChartMuseum(t *testing.T) {
	const start = "chartserve --address :8080 --allow-upload --repo-path ./archives"
	m := newMove(t)
	old := serve(t, m.dir, "--context-path", "/", "--repo-path", "chartstorage")
	tenants := serve(t, m.dir, "--context-path", "/", "--depth", "2", "--repo-path", "tenants")
	depth := serve(t, m.dir, "--context-path", "/", "--depth", "2", "--allow-upload", "--repo-path", "nested")
	var s *server
	saved, unchanged := `{"saved":true} 201`, `{"saved":true} 200`
	for i, step := range []struct{ line, want string }{
		{"cp -a chartstorage archives", ""},
		{"rm -f archives/index-cache.yaml", ""},
		{start, ""},
		{"chartserve verify http://localhost:8080", "Verified 1 archive"},
		{"chartserve mirror --devel --repo-path ./archives http://old.example.com:8080", "0 new, 1 unchanged"},
		{start, ""},
		{"chartserve mirror --devel --repo-path ./archives/org1/repoa http://old.example.com:8080/org1/repoa", "1 new"},
		{`curl --data-binary "@mychart-0.1.0.tgz" http://localhost:8080/api/charts`, saved},
		{`curl --data-binary "@mychart-0.1.0.tgz.prov" http://localhost:8080/api/prov`, saved},
		{`curl -F "chart=@mychart-0.1.0.tgz" -F "prov=@mychart-0.1.0.tgz.prov" http://localhost:8080/api/charts`, unchanged},
		{"helm repo add chartmuseum http://localhost:8080", "has been added"},
		{"helm cm-push mychart/ chartmuseum", "Done."},
		{"helm search repo chartmuseum/", "chartmuseum/mychart"},
		{`curl -F "chart=@mychart-0.1.0.tgz" http://localhost:8080/api/org1/repoa/charts`, saved},
		{"helm repo add repoa http://localhost:8080/org1/repoa", "has been added"},
	} {
		lines := shellLines(t, "../../docs/from-chartmuseum.md")
		if i >= len(lines) || lines[i] != step.line {
			t.Fatalf("line %d of the page is not %q: %q", i+1, step.line, lines)
		}
		if step.line == start {
			if s == nil {
				s = serve(t, m.dir, strings.Fields(step.line)[3:]...)
			}
			continue
		}
		pairs := []string{"http://old.example.com:8080/org1", tenants.URL + "/org1", "http://old.example.com:8080", old.URL}
		if strings.Contains(step.line, "localhost:8080/org1") || strings.Contains(step.line, "api/org1") {
			pairs = append(pairs, "http://localhost:8080", depth.URL)
		} else if s != nil {
			pairs = append(pairs, "http://localhost:8080", s.root())
		}
		if strings.HasPrefix(step.line, "helm cm-push") { // the same second gives the same bytes: see docs/publishing.md
			files{"mychart/Chart.yaml": "apiVersion: v1\nname: mychart\nversion: 0.2.0\n"}.write(t, m.dir)
		}
		m.urls = strings.NewReplacer(pairs...)
		m.says(t, step.line, step.want)
	}
	all := s.index(t)
	for _, id := range []string{"old 2.0.0-rc.1", "mychart 0.1.0", "mychart 0.2.0"} {
		if all[id].Digest == "" {
			t.Errorf("%s is not there", id)
		}
	}
	if code, _ := s.get(t, "old-2.0.0-rc.1.tgz.prov"); code != 200 {
		t.Errorf("the provenance: %d", code)
	}
}

// TestVariablesOfChartMuseum: a server takes the variables that the page names, and each flag
// of the page is there.
func TestVariablesOfChartMuseum(t *testing.T) {
	page := read(t, "../../docs/from-chartmuseum.md")
	variables := []string{"BASIC_AUTH_USER=ann", "BASIC_AUTH_PASS=pass-ann"}
	for _, row := range regexp.MustCompile("(?m)^\\|.*\\| `(CHARTSERVE_[A-Z_]+=\\S+)` \\|$").FindAllStringSubmatch(page, -1) {
		variables = append(variables, row[1])
	}
	if len(variables) != 9 {
		t.Fatalf("the page names %q", variables)
	}
	dir := files{"web/Chart.yaml": "apiVersion: v1\nname: web\nversion: 1.0.0\n"}.write(t, t.TempDir())
	s := serveIn(t, dir, variables, "--address", "localhost:0")
	if strings.Contains(s.logs.String(), "sets nothing") || !strings.HasSuffix(s.URL, "/helm") {
		t.Errorf("%s: %s", s.URL, s.logs)
	}
	if r := serveTool(t, dir, "package", "web"); !r.ok() {
		t.Fatal(r.all())
	}
	for path, want := range map[string]string{"api/charts": "201", "api/team/charts": "201"} {
		r := execute(t, dir, environment(t.TempDir()), "curl", "-sS", "-o", "answer", "-w", "%{http_code}", "-u", "ann:pass-ann", "--data-binary", "@web-1.0.0.tgz", s.URL+"/"+path)
		if r.stdout != want {
			t.Errorf("%s: got %s, want %s", path, r.all(), want)
		}
	}
	help := ""
	for _, command := range []string{"serve", "index", "mirror", "token create"} {
		help += serveTool(t, dir, append(strings.Fields(command), "--help")...).stdout
	}
	for _, row := range regexp.MustCompile(`(?m)^\|.*\|(.*)\|$`).FindAllStringSubmatch(page, -1) {
		for _, flag := range regexp.MustCompile(`--[a-z-]{2,}`).FindAllString(row[1], -1) {
			if flag != "--bearer-auth" && !regexp.MustCompile(flag+`\b`).MatchString(help) && !strings.HasPrefix(flag, "---") {
				t.Errorf("there is no flag %s", flag)
			}
		}
	}
}
