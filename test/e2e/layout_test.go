package e2e

import (
	"archive/tar"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// sub is a small chart for charts/ directories.
func sub(name, version string) files {
	return files{
		"Chart.yaml":          "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n",
		"values.yaml":         name + ": " + version + "\n",
		"templates/_name.tpl": "{{- define \"" + name + ".word\" -}}" + name + "{{- end -}}\n",
	}
}

// under puts every file of f below dir.
func (f files) under(dir string) files {
	moved := files{}
	for name, body := range f {
		moved[dir+"/"+name] = body
	}
	return moved
}

// layoutCases are charts with everything that has a place of its own in an archive.
var layoutCases = map[string]files{
	"v1, nothing special": webChart,
	"v2, nothing special": modernChart,
	"all kinds of files": modernChart.with(files{
		"LICENSE": "free\n", "README.md": "# m\n", "crds/a.yaml": "kind: X\n", "files/x.bin": "\x00\x01\x02", "ci/values.yaml": "a: 1\n",
		"templates/tests/test.yaml": "# t\n", "templates/_helpers.tpl": "{{- define \"x\" -}}{{- end -}}\n", ".helmignore": "*.bak\n", "x.bak": "no",
		"a/b/c/d.txt": "deep", "Z": "capital", "windows.txt": "one\r\ntwo\r\n",
	}),
	"charts in directories":              modernChart.with(sub("beta", "1.0.0").under("charts/beta")).with(sub("alpha", "2.0.0").under("charts/alpha")),
	"charts in charts":                   modernChart.with(sub("outer", "1.0.0").under("charts/outer")).with(sub("inner", "1.0.0").under("charts/outer/charts/inner")),
	"chart under another directory name": modernChart.with(sub("named", "1.0.0").under("charts/dir")),
	"v1 with requirements and a lock": webChart.with(sub("beta", "1.0.0").under("charts/beta")).with(files{
		"requirements.yaml": "dependencies:\n- name: beta\n  version: 1.0.0\n  repository: \"\"\n",
		"requirements.lock": "dependencies:\n- name: beta\n  repository: \"\"\n  version: 1.0.0\ndigest: sha256:0000\ngenerated: \"2024-01-01T00:00:00Z\"\n",
	}),
	"v2 with the requirements of a v1": modernChart.with(files{"requirements.yaml": "dependencies: []\n", "requirements.lock": "dependencies: []\ndigest: sha256:0000\ngenerated: \"2024-01-01T00:00:00Z\"\n"}),
	"v2 with a lock": modernChart.with(sub("beta", "1.0.0").under("charts/beta")).with(files{
		"Chart.yaml": "apiVersion: v2\nname: modern\nversion: 2.0.0\ndependencies:\n- name: beta\n  version: 1.0.0\n  repository: \"\"\n",
		"Chart.lock": "dependencies:\n- name: beta\n  repository: \"\"\n  version: 1.0.0\ndigest: sha256:0000\ngenerated: \"2024-01-01T00:00:00Z\"\n",
	}),
}

// TestLayout: our archive holds the members of `helm package`, in its order, with
// the same bytes; Chart.yaml, which Helm writes anew, with the same meaning.
func TestLayout(t *testing.T) {
	for name, chart := range layoutCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := chart.write(t, filepath.Join(t.TempDir(), "chart"))
			ours := packageWith(t, dir)
			for _, c := range []string{"helm3", "helm4"} {
				theirs, r := helm(t, c).pack(t, dir, t.TempDir())
				if theirs == "" {
					t.Fatalf("%s package: %s", c, r.all())
				}
				sameArchive(t, c, ours, theirs)
			}
		})
	}
}

// TestVendoredArchive: a .tgz in charts/ is expanded like a directory.
func TestVendoredArchive(t *testing.T) {
	dir := modernChart.write(t, filepath.Join(t.TempDir(), "modern"))
	inner := sub("inner", "1.0.0").under("charts/inner").with(sub("packed", "1.5.0")).write(t, filepath.Join(t.TempDir(), "packed"))
	h := helm(t, "helm4")
	if path, r := h.pack(t, inner, filepath.Join(dir, "charts")); path == "" {
		t.Fatal(r.all())
	}
	theirs, r := h.pack(t, dir, t.TempDir())
	if theirs == "" {
		t.Fatal(r.all())
	}
	sameArchive(t, "helm4", packageWith(t, dir), theirs)
}

// packageWith runs `chartserve package` and gives the archive's path.
func packageWith(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := serveTool(t, ".", append([]string{"package", dir, "-d", t.TempDir()}, args...)...)
	path := packaged(r)
	if path == "" {
		t.Fatalf("chartserve package: exit %d\n%s", r.code, r.all())
	}
	return path
}

// sameArchive compares two archives of one chart.
func sameArchive(t *testing.T, who, ours, theirs string) {
	t.Helper()
	sameMembers(t, who, members(t, ours), members(t, theirs))
}

func sameMembers(t *testing.T, who string, got, want []member) {
	t.Helper()
	if diff := cmp.Diff(inOrder(want), inOrder(got)); diff != "" {
		t.Errorf("members, against %s (-want +got):\n%s", who, diff)
		return
	}
	contents := map[string]string{}
	for _, m := range want {
		contents[m.header.Name] = m.data
	}
	for _, m := range got {
		theirs := contents[m.header.Name]
		switch path.Base(m.header.Name) {
		case "Chart.yaml":
			sameMetadata(t, who+" "+m.header.Name, m.data, theirs)
		case "Chart.lock", "requirements.lock": // Helm writes them anew, with its own clock
		default:
			if m.data != theirs {
				t.Errorf("%s: differs from %s's:\n%s", m.header.Name, who, cmp.Diff(theirs, m.data))
			}
		}
		plain(t, m.header)
	}
}

// inOrder lists the names: those of the chart itself in the archive's order, then
// those of sub-charts sorted, for Helm has no order among these.
func inOrder(list []member) []string {
	var own, others []string
	for _, m := range list {
		if strings.Contains(m.header.Name, "/charts/") {
			others = append(others, m.header.Name)
			continue
		}
		own = append(own, m.header.Name)
	}
	sort.Strings(others)
	return append(own, others...)
}

// sameMetadata compares two Chart.yaml by what they say.
func sameMetadata(t *testing.T, name, ours, theirs string) {
	t.Helper()
	var got, want map[string]any
	must(t, yaml.Unmarshal([]byte(ours), &got))
	must(t, yaml.Unmarshal([]byte(theirs), &want))
	if _, ok := got["apiVersion"]; !ok {
		got["apiVersion"] = "v1" // which Helm writes out
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// plain checks that nothing of this machine is in a header, and that no tool finds
// the time odd (GNU tar warns below 1970-01-02 or so).
func plain(t *testing.T, h tar.Header) {
	t.Helper()
	if h.Typeflag != tar.TypeReg || h.Mode&0o7777 != 0o644 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
		t.Errorf("%s: type %c, mode %o, owner %d:%d %q:%q; want a regular file, 0644, 0:0 and no names", h.Name, h.Typeflag, h.Mode, h.Uid, h.Gid, h.Uname, h.Gname)
	}
	if got, want := h.ModTime.UTC().Format("2006-01-02"), "1980-01-01"; got != want {
		t.Errorf("%s: time %s, want %s", h.Name, got, want)
	}
}

// TestVersionFlags: --version and --app-version of package change those lines of
// Chart.yaml and nothing else.
func TestVersionFlags(t *testing.T) {
	dir := modernChart.write(t, filepath.Join(t.TempDir(), "modern"))
	plainly := members(t, packageWith(t, dir))
	path := packageWith(t, dir, "--version", "9.8.7+abc", "--app-version", "v3")
	if got, want := filepath.Base(path), "modern-9.8.7+abc.tgz"; got != want {
		t.Errorf("file name: got %s, want %s", got, want)
	}
	want := strings.NewReplacer("version: 2.0.0", "version: 9.8.7+abc", "appVersion: 1.10.0", "appVersion: v3").Replace(modernChart["Chart.yaml"])
	for i, m := range members(t, path) {
		if m.header.Name == "modern/Chart.yaml" {
			// Whether the new value stands in quotes is up to the packager.
			got := strings.NewReplacer("\"9.8.7+abc\"", "9.8.7+abc", "\"v3\"", "v3").Replace(m.data)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Chart.yaml (-want +got):\n%s", diff)
			}
		} else if m.data != plainly[i].data || m.header.Name != plainly[i].header.Name {
			t.Errorf("%s: changed with the version", m.header.Name)
		}
	}
	theirs, r := helm(t, "helm4").pack(t, dir, t.TempDir(), "--version", "9.8.7+abc", "--app-version", "v3")
	if theirs == "" {
		t.Fatal(r.all())
	}
	sameArchive(t, "helm4", path, theirs)
}
