package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// A filter means the same for a chart of a registry as for one of a repository with an
// index (docs/air-gap.md: a chart that no source has is a failure).
func TestMirrorOCIFilters(t *testing.T) {
	for name, c := range map[string]struct {
		path, args string
		want       int
		copied     bool
		stderr     string
	}{
		"none":               {"/charts/nova", "", 0, true, ""},
		"the chart":          {"/charts/nova", "--chart nova", 0, true, ""},
		"a constraint":       {"/charts/nova", "--chart nova@^1.0.0", 0, true, ""},
		"another chart":      {"/charts/nova", "--chart nosuch", 1, false, "chart nosuch: not found"},
		"no such version":    {"/charts/nova", "--chart nova@<1.0.0", 1, false, "chart nova@<1.0.0: not found"},
		"excluded":           {"/charts/nova", "--exclude nova", 0, false, ""},
		"a pinned version":   {"/charts/nova:1.0.0", "--chart nosuch", 1, false, "chart nosuch: not found"},
		"a project":          {"/charts", "", 1, false, "name it, as in oci://"},
		"a container image":  {"/charts/image", "", 1, false, "none of its tags is the version of a chart"},
		"an image's version": {"/charts/nginx", "", 1, false, "no Helm chart"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			data := u.push("nova", "1.0.0", false)
			u.files["/v2/charts/image/tags/list"] = []byte(`{"name":"charts/image","tags":["latest","stable"]}`)
			u.files["/v2/charts/nginx/tags/list"] = []byte(`{"name":"charts/nginx","tags":["1.27.0"]}`)
			u.files["/v2/charts/nginx/manifests/1.27.0"] = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
				"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:` + strings.Repeat("0", 64) + `","size":2},"layers":[]}`)
			dir := filepath.Join(t.TempDir(), "site")
			args := append(strings.Fields(c.args), "--plain-http", strings.Replace(u.URL, "http://", "oci://", 1)+c.path)
			_, stderr := mirrored(t, c.want, dir, args...)
			wantText(t, "stderr", stderr, c.stderr)
			_, err := os.Stat(filepath.Join(dir, "nova-1.0.0.tgz"))
			if (err == nil) != c.copied {
				t.Errorf("copied: %v, want %v\n%s", err == nil, c.copied, stderr)
			}
			if c.copied {
				holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": data})
			}
		})
	}
}

// Prereleases that nobody asked for are left out, as by Helm, and that is said.
func TestMirrorPrereleases(t *testing.T) {
	u := newUpstream(t)
	one := u.add("nova", "1.0.0", false)
	u.add("nova", "2.0.0-rc1", false)
	beta := u.add("beta", "0.1.0-alpha", false)
	u.push("nova", "1.0.0", false)
	u.push("nova", "2.0.0-rc1", false)
	local := t.TempDir()
	writeFile(t, filepath.Join(local, "nova-1.0.0.tgz"), string(one))
	writeFile(t, filepath.Join(local, "beta-0.1.0-alpha.tgz"), string(beta))
	for address, want := range map[string]string{
		u.URL: `versions=2 "charts with no other version"=beta`,
		strings.Replace(u.URL, "http://", "oci://", 1) + "/charts/nova": `versions=1 "charts with no other version"=none`,
		local: `versions=1 "charts with no other version"=beta`,
	} {
		dir := filepath.Join(t.TempDir(), "site")
		_, stderr := mirrored(t, 0, dir, "--plain-http", address)
		wantText(t, "stderr", stderr, "prereleases are left out", want)
		if names, err := filepath.Glob(filepath.Join(dir, "*.tgz")); err != nil || len(names) != 1 || filepath.Base(names[0]) != "nova-1.0.0.tgz" {
			t.Errorf("%s: copied %q, %v", address, names, err)
		}
		for _, args := range [][]string{{"--devel"}, {"--chart", "nova@1.0.0"}} {
			_, stderr = mirrored(t, 0, filepath.Join(t.TempDir(), "site"), append(args, "--plain-http", address)...)
			if strings.Contains(stderr, "prereleases") {
				t.Errorf("%s %q: %s", address, args, stderr)
			}
		}
	}
}

// Versions that --since leaves out are told, and what their repository dates 1980, for
// want of a date, is none of them (docs/air-gap.md).
func TestMirrorSince(t *testing.T) {
	u := newUpstream(t)
	u.add("old", "1.0.0", false)
	undated := u.add("undated", "1.0.0", false)
	u.push("old", "1.0.0", false)
	text := string(u.files["/index.yaml"])
	at := strings.LastIndex(text, "created: ")
	u.files["/index.yaml"] = []byte(text[:at] + strings.Replace(text[at:], "2021-02-03T04:05:06Z", "1980-01-01T00:00:00Z", 1))
	oci := strings.Replace(u.URL, "http://", "oci://", 1) + "/charts/old"
	for address, copied := range map[string]map[string][]byte{u.URL: {"undated-1.0.0.tgz": undated}, oci: {}} {
		dir := filepath.Join(t.TempDir(), "site")
		for range 2 { // the second run knows it from the state
			_, stderr := mirrored(t, 0, dir, "--plain-http", "--since", "2026-01-31", address)
			wantText(t, "stderr", stderr, "versions that were created before --since are left out", `versions=1 "charts with no other version"=old`)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
		if err != nil || len(names) != len(copied) {
			t.Errorf("%s: copied %q, %v", address, names, err)
		}
		_, stderr := mirrored(t, 0, filepath.Join(t.TempDir(), "site"), "--plain-http", "--since", "2021-01-31", address)
		if strings.Contains(stderr, "left out") {
			t.Errorf("%s: %s", address, stderr)
		}
	}
}

// A dependency that is neither in charts/ nor in any repository makes a chart that
// Helm refuses to install (CheckDependencies), so it is missing (mirror --help).
func TestMirrorUnreachableDependency(t *testing.T) {
	u := newUpstream(t)
	files := map[string][]byte{
		"a-1.0.0.tgz": u.add("a", "1.0.0", false, "dependencies:", "- {name: lib, version: 1.x.x, repository: 'file://../lib'}"),
		"b-1.0.0.tgz": u.add("b", "1.0.0", false, "dependencies:", "- {name: lib, version: 1.x.x}"),
	}
	dir := filepath.Join(t.TempDir(), "site")
	for range 2 { // the second run knows it from the state
		_, stderr := mirrored(t, 1, dir, u.URL, "--with-dependencies", "--keep-going")
		wantText(t, "stderr", stderr, "a 1.0.0: not found: it depends on lib, which is not in its charts/, and names file://../lib",
			"b 1.0.0: not found: it depends on lib, which is not in its charts/, and names no repository")
		holds(t, dir, files)
	}
	mirrored(t, 0, filepath.Join(t.TempDir(), "site"), u.URL) // nobody asked for dependencies
}

// Helm pulls what an index calls 1.2.3 where the chart says v1.2.3. It is copied under
// the chart's own version, and once.
func TestMirrorSpelling(t *testing.T) {
	u := newUpstream(t)
	data, info := packed(t, "nova", "v1.2.3")
	e, err := index.NewEntry(info.Metadata, "nova.tgz", info.Digest, created)
	if err != nil {
		t.Fatal(err)
	}
	e.Version = "1.2.3"
	u.files["/index.yaml"] = []byte("apiVersion: v1\nentries:\n  nova:\n  - apiVersion: v2\n    name: nova\n    version: 1.2.3\n    created: \"2021-02-03T04:05:06Z\"\n    digest: " + info.Digest + "\n    urls: [nova.tgz]\n")
	u.files["/nova.tgz"] = data
	dir := filepath.Join(t.TempDir(), "site")
	out, _ := mirrored(t, 0, dir, u.URL)
	wantText(t, "stdout", out, "1 new, 0 unchanged, 0 failed")
	holds(t, dir, map[string][]byte{"nova-v1.2.3.tgz": data})
	u.requests()
	out, _ = mirrored(t, 0, dir, u.URL)
	wantText(t, "stdout", out, "0 new, 1 unchanged, 0 failed")
	wantRequests(t, u, "GET /index.yaml")

	// Another version is a mismatch still, and build metadata is no matter of spelling.
	for _, version := range []string{"1.2.4", "1.2.3+abc"} {
		u.files["/index.yaml"] = []byte(strings.Replace(string(u.files["/index.yaml"]), "version: 1.2.3", "version: "+version, 1))
		_, stderr := mirrored(t, 1, filepath.Join(t.TempDir(), "site"), u.URL)
		wantText(t, "stderr", stderr, "it is nova v1.2.3")
		u.files["/index.yaml"] = []byte(strings.Replace(string(u.files["/index.yaml"]), "version: "+version, "version: 1.2.3", 1))
	}
}

// What an interrupted run has fetched is not fetched again, however its source spells the
// version, and counts once where two entries of the source mean it.
func TestMirrorSpellingInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		listed []string
		own    string
	}{
		"v in the chart":     {[]string{"1.2.3"}, "v1.2.3"},
		"v in the index":     {[]string{"v1.2.3"}, "1.2.3"},
		"short in the chart": {[]string{"1.0.0-rc.1+a"}, "1-rc.1+a"},
		"short in the index": {[]string{"v1.2"}, "1.2.0"},
		"both in the index":  {[]string{"1.2.3", "v1.2.3"}, "v1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			data, info := packed(t, "nova", tt.own)
			last, lastInfo := packed(t, "zun", "1.0.0")
			text := "apiVersion: v1\nentries:\n  nova:\n"
			entry := "  - {apiVersion: v2, name: %s, version: %s, created: \"2021-02-03T04:05:06Z\", digest: %s, urls: [%s.tgz]}\n"
			for _, version := range tt.listed {
				text += fmt.Sprintf(entry, "nova", version, info.Digest, "nova")
			}
			text += "  zun:\n" + fmt.Sprintf(entry, "zun", "1.0.0", lastInfo.Digest, "zun")
			u.files["/index.yaml"], u.files["/nova.tgz"] = []byte(text), data
			dir := filepath.Join(t.TempDir(), "site")
			mirrored(t, 1, dir, u.URL, "--jobs", "1", "--devel")
			u.files["/zun.tgz"] = last
			u.requests()
			out, _ := mirrored(t, 0, dir, u.URL, "--devel")
			wantText(t, "stdout", out, "Mirrored 2 charts (2 archives)", "2 new, 0 unchanged, 0 failed")
			wantRequests(t, u, "GET /index.yaml", "GET /zun.tgz", "GET /zun.tgz.prov")
			holds(t, dir, map[string][]byte{info.Metadata.ArchiveName(): data, "zun-1.0.0.tgz": last})
			out, _ = mirrored(t, 0, dir, u.URL, "--devel")
			wantText(t, "stdout", out, "0 new, 2 unchanged, 0 failed")
			wantRequests(t, u, "GET /index.yaml")
		})
	}
}

// Helm lists and pulls an entry that stands under another chart's key, so it is copied,
// and does not hide what stands under its own.
func TestMirrorMisplaced(t *testing.T) {
	u := newUpstream(t)
	one, two := u.add("nova", "1.0.0", false), u.add("nova", "2.0.0", false)
	entry := func(key, version string, data []byte) string {
		return fmt.Sprintf("  %s:\n  - {apiVersion: v2, name: nova, version: %s, created: \"2021-02-03T04:05:06Z\", digest: %s, urls: [pool/nova-%[2]s.tgz]}\n",
			key, version, chart.Digest(data))
	}
	u.files["/index.yaml"] = []byte("apiVersion: v1\nentries:\n" + entry("compute", "1.0.0", one) + entry("nova", "2.0.0", two))
	dir := filepath.Join(t.TempDir(), "site")
	_, stderr := mirrored(t, 0, dir, u.URL, "--chart", "nova")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": one, "nova-2.0.0.tgz": two})
	if strings.Contains(stderr, "can't be read") {
		t.Errorf("stderr: %s", stderr)
	}
}

// An entry without a digest is copied, and the log says that nothing proves the archive
// (SECURITY.md, Downloads).
func TestMirrorWithoutDigest(t *testing.T) {
	u := newUpstream(t)
	data := u.add("nova", "1.0.0", false)
	text := string(u.files["/index.yaml"])
	u.files["/index.yaml"] = []byte(strings.Replace(text, chart.Digest(data), "''", 1))
	dir := filepath.Join(t.TempDir(), "site")
	_, stderr := mirrored(t, 0, dir, u.URL)
	wantText(t, "stderr", stderr, "no digest for a chart: the download can't be verified", "nova-1.0.0.tgz")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": data})
}

// The tags 1.2.3 and v1.2.3 of one chart are one version.
func TestMirrorSpellingOCI(t *testing.T) {
	u := newUpstream(t)
	data := u.push("nova", "v1.2.3", false)
	u.files["/v2/charts/nova/manifests/1.2.3"] = u.files["/v2/charts/nova/manifests/v1.2.3"]
	u.files["/v2/charts/nova/tags/list"] = []byte(`{"name":"charts/nova","tags":["1.2.3","v1.2.3"]}`)
	address := strings.Replace(u.URL, "http://", "oci://", 1) + "/charts/nova"
	dir := filepath.Join(t.TempDir(), "site")
	for _, want := range []string{"1 new, 0 unchanged", "0 new, 1 unchanged"} {
		out, _ := mirrored(t, 0, dir, "--plain-http", address)
		wantText(t, "stdout", out, want)
		holds(t, dir, map[string][]byte{"nova-v1.2.3.tgz": data})
	}
}

// A registry takes a chart under any name; an index lists it by its own, so that it can't
// be copied from there. What can be done is in the message, and works.
func TestMirrorOCIOtherName(t *testing.T) {
	u := newUpstream(t)
	data := u.push("nova", "1.0.0", false)
	for path, blob := range maps.Clone(u.files) {
		if rest, ok := strings.CutPrefix(path, "/v2/charts/nova/"); ok {
			u.files["/v2/charts/compute/"+rest] = blob
		}
	}
	top := t.TempDir()
	for _, address := range []string{"/charts/compute", "/charts/compute:1.0.0"} {
		_, stderr := mirrored(t, 1, filepath.Join(top, "site"), "--plain-http", strings.Replace(u.URL, "http://", "oci://", 1)+address)
		wantText(t, "stderr", stderr, "charts/compute has the chart nova 1.0.0, pushed under another name", "mirror that file")
	}
	writeFile(t, filepath.Join(top, "pulled", "compute-1.0.0.tgz"), string(data)) // as helm pull names it
	out, _ := mirrored(t, 0, filepath.Join(top, "site"), filepath.Join(top, "pulled", "compute-1.0.0.tgz"))
	wantText(t, "stdout", out, "1 new")
	if _, err := os.Stat(filepath.Join(top, "site", "nova-1.0.0.tgz")); err != nil {
		t.Error(err)
	}
}

// An entry of an index may lead into a registry; the version's "+" is "_" in the tag
// there (Helm's pkg/registry), and where the URL has no tag the version is it (its
// pkg/getter/ocigetter.go).
func TestMirrorOCIInIndex(t *testing.T) {
	for _, tag := range []string{":1.0.0+abc", ":1.0.0_abc", ""} {
		u := newUpstream(t)
		data := u.push("nova", "1.0.0+abc", true)
		_, info := packed(t, "nova", "1.0.0+abc")
		u.put(info, strings.Replace(u.URL, "http://", "oci://", 1)+"/charts/nova"+tag)
		dir := filepath.Join(t.TempDir(), "site")
		out, _ := mirrored(t, 0, dir, "--plain-http", "--dry-run", u.URL)
		wantText(t, "stdout", out, "/charts/nova:1.0.0_abc")
		mirrored(t, 0, dir, "--plain-http", u.URL)
		holds(t, dir, map[string][]byte{"nova-1.0.0+abc.tgz": data, "nova-1.0.0+abc.tgz.prov": []byte(signed(info.Digest))})
	}
}
