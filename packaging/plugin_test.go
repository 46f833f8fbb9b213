package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

// members are the names and modes in a compressed tar archive.
func members(t *testing.T, data string) (names []string) {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.FileInfo().Mode().String()+" "+h.Name)
	}
}

// Each Helm's archive has the layout that it installs, and the same bytes twice.
func TestPlugin(t *testing.T) {
	platforms := []platform{{"linux", "arm"}, {"windows", "amd64"}}
	r, again := testRelease(t, platforms...), testRelease(t, platforms...)
	if err := errors.Join(r.plugin(t.Context()), again.plugin(t.Context())); err != nil {
		t.Fatal(err)
	}
	made := results(t, r)
	if !maps.Equal(made, results(t, again)) {
		t.Error("the second time there are other files")
	}
	const all = "-rw-r--r-- %plugin.yaml, -rwxr-xr-x %chartserve, -rw-r--r-- %LICENSE, -rw-r--r-- %NOTICE, -rw-r--r-- %THIRD_PARTY_LICENSES, -rwxr-xr-x %plugin.complete"
	windows := strings.NewReplacer("chartserve,", "chartserve.exe,", ", -rwxr-xr-x %plugin.complete", "")
	for name, want := range map[string]string{
		"helm3_linux_arm":     strings.ReplaceAll(all, "%", ""),
		"helm4_linux_arm":     "drwxr-xr-x chartserve-helm-plugin/, " + strings.ReplaceAll(all, "%", "chartserve-helm-plugin/"),
		"helm3_windows_amd64": strings.ReplaceAll(windows.Replace(all), "%", ""),
		"helm4_windows_amd64": "drwxr-xr-x chartserve-helm-plugin/, " + strings.ReplaceAll(windows.Replace(all), "%", "chartserve-helm-plugin/"),
	} {
		data, ok := made["chartserve-helm-plugin-1.2.3_"+name+".tgz"]
		if !ok {
			t.Fatalf("%s: there are only %v", name, slices.Collect(maps.Keys(made)))
		}
		if got := strings.Join(members(t, data), ", "); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// What is of another platform, or has no version, is in no plugin.yaml.
func TestPluginMetadata(t *testing.T) {
	r := testRelease(t, platform{"windows", "arm64"})
	for format, want := range map[string][]string{
		"helm3": {"name: serve", `version: "1.2.3"`, "os: windows", "arch: arm64", `command: "$HELM_PLUGIN_DIR/chartserve.exe serve"`},
		"helm4": {"apiVersion: v1", "name: serve", `version: "1.2.3"`, "os: windows", "arch: arm64", `command: "$HELM_PLUGIN_DIR/chartserve.exe"`, "args: [serve]"},
	} {
		files, err := r.pluginFiles(r.platforms[0], format)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !bytes.Contains(files[0].data, []byte(line+"\n")) {
				t.Errorf("%s: no line %q in\n%s", format, line, files[0].data)
			}
		}
	}
}
