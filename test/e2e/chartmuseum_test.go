package e2e

import (
	"regexp"
	"strings"
	"testing"
)

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
