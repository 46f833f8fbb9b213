package pkgr

import (
	"bytes"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

func TestOverride(t *testing.T) {
	tests := map[string]struct {
		in, want         string // Chart.yaml; want "" when it is marshalled anew
		version, app     string
		wantVer, wantApp string
	}{
		"nothing":          {in: minimal, want: minimal, wantVer: "1.0.0"},
		"version":          {in: "name: c\nversion: 1.0.0\ndescription: d\n", version: "2.0.0+a", want: "name: c\nversion: \"2.0.0+a\"\ndescription: d\n", wantVer: "2.0.0+a"},
		"both":             {in: "name: c\nversion: 1.0.0\nappVersion: x\n", version: "2.0.0", app: "y", want: "name: c\nversion: \"2.0.0\"\nappVersion: \"y\"\n", wantVer: "2.0.0", wantApp: "y"},
		"app version":      {in: "name: c\nversion: 1.0.0\nappVersion: 1.10 # x\n", app: "1.10", want: "name: c\nversion: 1.0.0\nappVersion: \"1.10\" # x\n", wantVer: "1.0.0", wantApp: "1.10"},
		"new app version":  {in: "name: c\nversion: 1.0.0", app: "x", want: "name: c\nversion: 1.0.0\nappVersion: \"x\"\n", wantVer: "1.0.0", wantApp: "x"},
		"comments":         {in: "# version: 0\nname: c # n\nversion:   1.0.0   # the version: this\n# end\n", version: "2.0.0", want: "# version: 0\nname: c # n\nversion:   \"2.0.0\"   # the version: this\n# end\n", wantVer: "2.0.0"},
		"CRLF":             {in: "name: c\r\nversion: 1.0.0\r\n", version: "2.0.0", app: "x", want: "name: c\r\nversion: \"2.0.0\"\r\nappVersion: \"x\"\r\n", wantVer: "2.0.0", wantApp: "x"},
		"quoted":           {in: "name: c\nversion: '1.0.0'\n", version: "2.0.0", want: "name: c\nversion: \"2.0.0\"\n", wantVer: "2.0.0"},
		"markers":          {in: "# License\n---\nname: c\nversion: 1.0.0\n...\n", version: "2.0.0", app: "x", want: "# License\n---\nname: c\nversion: \"2.0.0\"\nappVersion: \"x\"\n...\n", wantVer: "2.0.0", wantApp: "x"},
		"second document":  {in: "name: c\nversion: 1.0.0\n---\nversion: 3.0.0\n", version: "2.0.0", want: "name: c\nversion: \"2.0.0\"\n---\nversion: 3.0.0\n", wantVer: "2.0.0"},
		"other versions":   {in: "name: c\nversion: 1.0.0\ndependencies:\n- name: d\n  version: 1.0.0\n  repository: \"\"\nkubeVersion: \">=1.0.0\"\nappVersion: 1.0.0\n", version: "2.0.0", want: "name: c\nversion: \"2.0.0\"\ndependencies:\n- name: d\n  version: 1.0.0\n  repository: \"\"\nkubeVersion: \">=1.0.0\"\nappVersion: 1.0.0\n", wantVer: "2.0.0", wantApp: "1.0.0"},
		"duplicate":        {in: "name: c\nversion: 1.0.0\nversion: 1.1.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"odd app version":  {in: minimal, app: "a: \"b\" # c", want: minimal + "appVersion: \"a: \\\"b\\\" # c\"\n", wantVer: "1.0.0", wantApp: "a: \"b\" # c"},
		"no value":         {in: "name: c\nversion: 1.0.0\nappVersion:\n", app: "x", want: "name: c\nversion: 1.0.0\nappVersion: \"x\"\n", wantVer: "1.0.0", wantApp: "x"},
		"flow":             {in: "{name: c, version: 1.0.0}\n", version: "2.0.0", wantVer: "2.0.0"},
		"quoted key":       {in: "name: c\n\"version\": 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"blank behind key": {in: "name: c\nversion : 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"single quotes":    {in: "name: c\n'version': 1.0.0\n'appVersion' : a\n", version: "2.0.0", app: "b", wantVer: "2.0.0", wantApp: "b"},
		"complex key":      {in: "name: c\n? version\n: 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"escaped key":      {in: "name: c\n\"v\\x65rsion\": 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"tagged key":       {in: "name: c\n!!str version: 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"on the next line": {in: "name: c\nversion:\n  1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"block":            {in: "name: c\nversion: >-\n  1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
		"in a scalar":      {in: "name: c\nversion: 1.0.0\ndescription: \"a\n\nversion: 1.1.1\n\"\n", version: "2.0.0", wantVer: "2.0.0"},
		"case of the key":  {in: "name: c\nVersion: 1.0.0\n", version: "2.0.0", wantVer: "2.0.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := load(t, newTreeDir(t, tree{"Chart.yaml": tt.in, "values.yaml": "a: 1\n"}))
			before, key := pack(t, c), c.ContentKey()
			d, err := c.Override(tt.version, tt.app)
			must(t, err)
			if d.Metadata.Version != tt.wantVer || d.Metadata.AppVersion != tt.wantApp {
				t.Errorf("version %q, app version %q, want %q, %q", d.Metadata.Version, d.Metadata.AppVersion, tt.wantVer, tt.wantApp)
			}
			got := string(d.Files[0].Data)
			if tt.version+tt.app != "" && !chart.EachFieldOnce(d.Files[0].Data) {
				t.Errorf("a field is twice in %q", got)
			}
			if tt.want != "" {
				wantDiff(t, "Chart.yaml", got, tt.want)
			}
			info, err := check(pack(t, d))
			must(t, err)
			wantDiff(t, "metadata in the archive", info.Metadata, d.Metadata)
			if changed := got != tt.in; (d.ContentKey() != key) != changed {
				t.Errorf("changed %v, and the keys are %x and %x", changed, key, d.ContentKey())
			}
			if !bytes.Equal(pack(t, c), before) || c.ContentKey() != key {
				t.Error("the chart itself was changed")
			}
		})
	}
}

func TestOverrideRefuses(t *testing.T) {
	c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal}))
	_, err := c.Override("1.2.3.4", "")
	wantError(t, err, chart.ErrMetadata, "override", "1.2.3.4")
}

func TestOverrideKeepsTheRest(t *testing.T) {
	const v1 = "apiVersion: v1\nname: c\nversion: 1.20\n"
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": v1, "requirements.yaml": "dependencies:\n- name: s\n  version: 1.0.0\n  repository: http://example.com\n",
		"charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/t.tgz": string(archiveOf(t, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")})),
	}))
	if len(c.Warnings) != 2 {
		t.Fatalf("warnings %q, want one about the version and one about the copy", c.Warnings)
	}
	d, err := c.Override("2.0.0", "")
	must(t, err)
	wantDiff(t, "dependencies", d.Metadata.Dependencies, c.Metadata.Dependencies)
	wantDiff(t, "warnings", d.Warnings, c.Warnings[1:])
	wantDiff(t, "files", fileNames(d), fileNames(c))
	if len(d.Subcharts) != 1 || strings.Contains(string(d.Files[0].Data), "dependencies") {
		t.Errorf("sub-charts %v, Chart.yaml %s", d.Subcharts, d.Files[0].Data)
	}
}
