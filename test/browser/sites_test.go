package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"chartserve/test/corpus/gen"
)

// seed is that of all generated trees here.
const seed = 1

// manyArchives is how large the large repository is.
const manyArchives = 10_000

// site is a repository, and its pages that are tested.
type site struct {
	name string
	// args makes what is served and returns the flags and SOURCEs for it.
	args func(t *testing.T) []string
	// pages are paths below the list's.
	pages []string
}

// sites lists all pages that are tested: a line adds one.
func sites() []site {
	return []site{
		{"samples", samples, []string{
			"",
			"?q=guest&sort=changed",
			"?q=nothing-has-this",
			"chart/hello/",
			"chart/guestbook/",
			"chart/guestbook/graph/",
			"chart/chartserve/",
			"chart/chartserve/0.1.0/values/",
			"chart/helm-toolkit/", // a library
			"graph/",
			"chart/guestbook/0.1.0/values/",
			"chart/guestbook/0.1.0/values/?q=cache",
			"chart/guestbook/0.1.0/files/",
			"chart/guestbook/0.1.0/files/values.yaml/",
			"chart/guestbook/0.1.0/images/",
			"operations/",
		}},
		{"taco", taco, []string{
			"",
			"chart/keystone/",
			"chart/keystone/versions/",
			"chart/helm-toolkit/",
			"chart/helm-toolkit/graph/",
			"chart/keystone/2025.2.0/values/",
			"chart/keystone/2025.2.0/files/",
			"chart/keystone/2025.2.0/images/",
			"graph/",
		}},
		{"many", many, []string{
			"",
			"?page=3",
		}},
		{"hostile", hostile, []string{
			"",
			"operations/",
			"chart/script/",
			"graph/",
			"chart/script/graph/",
			"chart/script/versions/",
			"chart/script/diff/",
			"chart/script/diff/?rendered",
			"chart/script/1.0.0/values/",
			"chart/script/1.0.0/files/",
			"chart/script/1.0.0/files/picture.svg/",
			"chart/script/1.0.0/images/",
			"chart/binary/",
			"chart/binary/1.0.0/files/files/data.bin/",
		}},
		{"others", others, []string{
			"",
			"hostile/",
			"hostile/chart/script/",
		}},
		{"empty", empty, []string{
			"",
		}},
	}
}

func samples(t *testing.T) []string { return served(t, filepath.Join("..", "..", "charts")) }

func taco(t *testing.T) []string {
	dir := t.TempDir()
	must(t, gen.TacoV2(seed).Write(dir))
	return served(t, dir)
}

// many is a repository folder with archives and no SOURCE. They are made once, in bin/, and
// linked from there.
func many(t *testing.T) []string {
	kept := filepath.Join("..", "..", "bin", "browser", "archives")
	if _, err := os.Stat(kept); err != nil {
		must(t, os.MkdirAll(filepath.Dir(kept), 0o755))
		half, err := os.MkdirTemp(filepath.Dir(kept), ".archives-")
		must(t, err)
		_, err = gen.WriteArchives(half, manyArchives, seed)
		must(t, err)
		must(t, os.Rename(half, kept))
	}
	names, err := filepath.Glob(filepath.Join(kept, "*.tgz"))
	must(t, err)
	if len(names) != manyArchives {
		t.Fatalf("%s has %d archives, want %d: remove it", kept, len(names), manyArchives)
	}
	repo := filepath.Join(filepath.Dir(kept), "many")
	must(t, os.RemoveAll(repo))
	must(t, os.MkdirAll(repo, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(repo) })
	for _, name := range names {
		must(t, os.Link(name, filepath.Join(repo, filepath.Base(name))))
	}
	return []string{"--repo-path", repo}
}

// others is a repository beside which there is another one.
func others(t *testing.T) []string {
	_, source := hostileSources(t)
	return append([]string{"--repository", "hostile=" + source}, samples(t)...)
}

func empty(t *testing.T) []string { return served(t, t.TempDir()) }

// served is the flags for a SOURCE.
func served(t *testing.T, source string) []string {
	return []string{"--repo-path", filepath.Join(t.TempDir(), "repo"), source}
}

// hostile has scripts wherever a chart has text, in two versions of one chart, charts that can't
// be published, and files that are too large, or no text.
func hostile(t *testing.T) []string {
	before, after := hostileSources(t)
	args := served(t, after)
	build(t, "--repo-path", args[1], before)
	if _, err := exec.LookPath("helm"); err == nil {
		args = append(args, "--allow-helm-template")
	}
	return args
}

// hostileSources are what was published first, and what is published after it.
func hostileSources(t *testing.T) (before, dir string) {
	before, dir = t.TempDir(), t.TempDir()
	for name, data := range hostileFiles() {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), data)
		if below, ok := strings.CutPrefix(name, "script/"); ok {
			old := strings.NewReplacer("version: 1.0.0", "version: 0.9.0", "alert(1)", "alert(2)").Replace(data)
			write(t, filepath.Join(before, "script", filepath.FromSlash(below)), old)
		}
	}
	if runtime.GOOS == "linux" { // where names may have any byte
		odd := filepath.Join(dir, `"><img src=x onerror=alert(1)>`)
		write(t, filepath.Join(odd, "Chart.yaml"), "name: [\n")
	}
	return before, dir
}

// write makes a file, and the directories that it is in.
func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// hostileFiles are charts: script has markup in everything, large has files of 5 MB, binary
// has files that are no text, broken and torn can't be published, cycle-a and cycle-b want
// each other.
func hostileFiles() map[string]string {
	const script = `<script>alert(1)</script><img src=//evil.example/x.png onerror=alert(1)><svg onload=alert(1)>`
	const picture = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script><image href="http://evil.example/x.png"/></svg>`
	return map[string]string{
		"script/Chart.yaml": `apiVersion: v2
name: script
version: 1.0.0
description: "` + script + `"
appVersion: "` + script + `"
home: "javascript:alert(1)"
icon: http://evil.example/icon.svg
sources: ["javascript:alert(1)", "https://ok.example/\"onmouseover=\"alert(1)"]
keywords: ["` + script + `", "` + strings.Repeat("long-", 60) + `"]
maintainers: [{name: "` + script + `", email: "a@b\"onclick=\"alert(1)", url: "JaVaScRiPt:alert(1)"}]
annotations:
  artifacthub.io/changes: "- kind: security\n  description: '` + script + `'\n"
  artifacthub.io/screenshots: "- title: x\n  url: http://evil.example/x.png\n"
  artifacthub.io/links: "- name: '` + script + `'\n  url: javascript:alert(1)\n"
`,
		"script/README.md": "# " + script + "\n\n" + script + "\n\n[a](javascript:alert(1)) [b](data:text/html,x) ![c](http://evil.example/x.png) ![d](picture.svg)\n\n" +
			"<iframe src=\"http://evil.example/\"></iframe><style>body{display:none}</style><base href=\"http://evil.example/\"><form action=\"http://evil.example/\"><input autofocus onfocus=alert(1)></form>\n\n" +
			"| a | b |\n|---|---|\n| " + strings.Repeat("wide", 200) + " | `" + strings.Repeat("code", 200) + "` |\n\n```\n" + strings.Repeat("line ", 200) + "\n```\n\n" + strings.Repeat("x", 3000) + "\n",
		"script/picture.svg":           picture,
		"script/values.yaml":           "# " + script + "\na:\n  # -- " + script + "\n  b: \"" + script + "\"\n" + strings.Repeat("k", 300) + ": " + strings.Repeat("v", 3000) + "\n",
		"script/values.schema.json":    `{"properties":{"a":{"description":"` + strings.ReplaceAll(script, `"`, ``) + `","enum":["` + script + `"]}}}`,
		"script/templates/NOTES.txt":   script,
		"script/templates/x.yaml":      "# {{ \"" + script + "\" }}\n",
		"script/files/<b>&\"name'.txt": script,
		"script/LICENSE":               script,
		"script/crds/x.yaml":           "kind: CustomResourceDefinition\nmetadata: {name: \"" + script + "\"}\n",

		"large/Chart.yaml":  "apiVersion: v2\nname: large\nversion: 1.0.0\n",
		"large/README.md":   "# Large\n\n" + strings.Repeat("Some *Markdown* of `many` lines, [with links](README.md).\n\n- and lists\n\n", 60_000),
		"large/values.yaml": strings.Repeat("# a comment\n", 2) + longValues(),

		"binary/Chart.yaml":       "apiVersion: v2\nname: binary\nversion: 1.0.0\n",
		"binary/README.md":        "\x00\xff\xfe binary \x1b[31m",
		"binary/values.yaml":      "a: 1\n",
		"binary/files/data.bin":   strings.Repeat("\x00\x01\x02\xff", 4096),
		"binary/files/latin1.txt": "caf\xe9\n",

		"broken/Chart.yaml": "apiVersion: v2\nname: broken\nversion: one\ndescription: \"" + script + "\"\n",
		"torn/Chart.yaml":   "apiVersion: v2\nname: [torn\n",

		"cycle-a/Chart.yaml": "apiVersion: v2\nname: cycle-a\nversion: 1.0.0\ndependencies: [{name: cycle-b, version: 1.0.0, repository: file://../cycle-b}]\n",
		"cycle-b/Chart.yaml": "apiVersion: v2\nname: cycle-b\nversion: 1.0.0\ndependencies: [{name: cycle-a, version: 1.0.0, repository: file://../cycle-a}]\n",
	}
}

// longValues is a values.yaml of 60,000 lines.
func longValues() string {
	var w strings.Builder
	for i := range 30_000 {
		w.WriteString("# -- what it is for\nkey" + strings.Repeat("x", i%7) + strconv.Itoa(i) + ": value\n")
	}
	return w.String()
}
