package gen

import (
	"fmt"
	"path"
	"strings"
)

// The two ways in which charts name helm-toolkit.
const (
	servedToolkit  = "http://localhost:8879/charts"
	siblingToolkit = "file://../helm-toolkit"
)

// ignoreFile keeps values_overrides out of the archive. It is put together from
// what `helm create` writes (in our words) and the one line that matters.
const ignoreFile = `# Patterns to ignore when building packages.
.DS_Store
.git/
.gitignore
.bzr/
.hg/
.svn/
*.swp
*.bak
*.tmp
*.orig
*~
.project
.idea/
*.tmproj
.vscode/

values_overrides
`

// addChartFiles adds Chart.yaml, the requirements and what else stands at the top
// of a chart, and lists the chart.
func (t *Tree) addChartFiles(dir string, g generation, s spec, slogan string) {
	t.Charts = append(t.Charts, Chart{Name: s.name, Version: g.version, Dir: dir, Toolkit: s.usesToolkit()})
	if g.name == "v1" {
		t.add(path.Join(dir, "Chart.yaml"), hashLicense+"\n"+describe(g, s, slogan))
		if s.repository != "" {
			t.add(path.Join(dir, "requirements.yaml"), hashLicense+fmt.Sprintf("\ndependencies:\n  - name: %s\n    repository: %s\n    version: 0.1.0\n", toolkit, s.repository))
		}
		return
	}
	body := describe(g, s, slogan)
	if s.repository != "" {
		body += fmt.Sprintf("dependencies:\n  - name: %s\n    repository: %s\n    version: \">= 0.1.0\"\n", toolkit, s.repository)
	}
	t.add(path.Join(dir, "Chart.yaml"), hashLicense+"\n---\n"+body+"...\n")
	t.add(path.Join(dir, ".helmignore"), ignoreFile)
}

func describe(g generation, s spec, slogan string) string {
	title := strings.ToUpper(s.name[:1]) + s.name[1:]
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: %s\n", g.api)
	if g.name == "v2" {
		b.WriteString("appVersion: v1.0.0\n")
	}
	if s.name == toolkit {
		fmt.Fprintf(&b, "description: OpenStack-Helm Helm-Toolkit\nname: %s\nversion: %s\n", s.name, g.version)
	} else {
		fmt.Fprintf(&b, "description: OpenStack-Helm %s. %s\nname: %s\nversion: %s\n", title, slogan, s.name, g.version)
	}
	fmt.Fprintf(&b, "home: https://docs.example.org/%s/latest/\nicon: https://docs.example.org/mascots/%s.png\n", s.name, s.name)
	fmt.Fprintf(&b, "sources:\n  - https://code.example.org/openstack/%s\n  - https://code.example.org/openstack/openstack-helm\n", s.name)
	b.WriteString("maintainers:\n  - name: OpenStack-Helm Authors\n")
	return b.String()
}
