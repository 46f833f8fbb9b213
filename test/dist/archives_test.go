package dist

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSums: the list has every file beside it, in the form that sha256sum -c reads.
func TestSums(t *testing.T) {
	sums, err := os.ReadFile(made(t, "sums", "SHA256SUMS"))
	must(t, err)
	want := ""
	entries, err := os.ReadDir(folder(t))
	must(t, err)
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != "SHA256SUMS" {
			data, err := os.ReadFile(filepath.Join(folder(t), e.Name()))
			must(t, err)
			want += fmt.Sprintf("%x  %s\n", sha256.Sum256(data), e.Name())
		}
	}
	if string(sums) != want || want == "" {
		t.Errorf("SHA256SUMS: got\n%s, want\n%s", sums, want)
	}
}

// member is a file of an archive.
type member struct {
	name string
	mode os.FileMode
	time time.Time
	data []byte
}

// TestArchives: each archive has one folder with the same files, which nobody owns, of one time;
// what is not the program is the same everywhere.
func TestArchives(t *testing.T) {
	made(t, "archives", "chartserve_*_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz")
	found, err := filepath.Glob(filepath.Join(folder(t), "chartserve_*.tar.gz"))
	must(t, err)
	zips, err := filepath.Glob(filepath.Join(folder(t), "chartserve_*.zip"))
	must(t, err)
	found = append(found, zips...)
	want := []string{"CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "THIRD_PARTY_LICENSES", "chartserve",
		"completions/_chartserve", "completions/chartserve", "completions/chartserve.fish", "man/chartserve.1", "man/chartserve.yaml.5"}
	same := map[string]string{}
	for _, archive := range found {
		members := membersOf(t, archive)
		var names []string
		for _, m := range members {
			top, name, _ := strings.Cut(m.name, "/")
			if base, _, _ := strings.Cut(filepath.Base(archive), ".tar.gz"); strings.TrimSuffix(base, ".zip") != top {
				t.Errorf("%s: %s is not below a folder of its name", archive, m.name)
			}
			mode, name := os.FileMode(0o644), strings.TrimSuffix(name, ".exe")
			if names = append(names, name); name == "chartserve" {
				mode = 0o755
			} else if first, seen := same[name]; seen && first != string(m.data) {
				t.Errorf("%s: %s differs from another archive's", archive, name)
			} else {
				same[name] = string(m.data)
			}
			if m.mode != mode || !m.time.Equal(members[0].time) {
				t.Errorf("%s: %s has mode %o and is of %s, want %o and %s", archive, name, m.mode, m.time, mode, members[0].time)
			}
		}
		slices.Sort(names)
		if linux := strings.Contains(archive, "_linux_"); linux != slices.Contains(names, "systemd/chartserve.service") || linux != slices.Contains(names, "etc/chartserve.yaml") {
			t.Errorf("%s: the service is for Linux alone: %q", archive, names)
		}
		for _, name := range want {
			if !slices.Contains(names, name) {
				t.Errorf("%s: %s is missing in %q", archive, name, names)
			}
		}
	}
	if printed := output(t, program(t), "licenses"); printed != same["THIRD_PARTY_LICENSES"] {
		t.Error("THIRD_PARTY_LICENSES is not what chartserve licenses prints")
	}
}

// membersOf reads an archive of either kind.
func membersOf(t *testing.T, archive string) []member {
	t.Helper()
	var members []member
	if strings.HasSuffix(archive, ".zip") {
		z, err := zip.OpenReader(archive)
		must(t, err)
		defer z.Close()
		for _, f := range z.File {
			r, err := f.Open()
			must(t, err)
			data, err := io.ReadAll(r)
			must(t, err)
			members = append(members, member{f.Name, f.Mode(), f.Modified, data})
		}
		return members
	}
	file, err := os.Open(archive)
	must(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	must(t, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return members
		}
		must(t, err)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s: %s is owned by somebody", archive, h.Name)
		}
		data, err := io.ReadAll(r)
		must(t, err)
		members = append(members, member{h.Name, h.FileInfo().Mode(), h.ModTime, data})
	}
}

// TestUnpacked: tar gives a program that runs.
func TestUnpacked(t *testing.T) {
	archive, into := made(t, "archives", "chartserve_*_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz"), t.TempDir()
	output(t, "tar", "-xzf", archive, "-C", into)
	unpacked := filepath.Join(into, strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), "chartserve")
	if got, want := output(t, unpacked, "version"), output(t, program(t), "version"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBillOfMaterials: the SBOM has each module that the binaries say they are made of.
func TestBillOfMaterials(t *testing.T) {
	data, err := os.ReadFile(made(t, "sbom", "sbom.cdx.json"))
	must(t, err)
	var bom struct{ Components []struct{ PURL string } }
	must(t, json.Unmarshal(data, &bom))
	listed := map[string]bool{}
	for _, c := range bom.Components {
		listed[c.PURL] = true
	}
	found, err := filepath.Glob(filepath.Join(folder(t), "build", "*_*", "chartserve*"))
	must(t, err)
	linked := map[string]bool{}
	for _, path := range found {
		info, err := buildinfo.ReadFile(path)
		must(t, err)
		linked["pkg:golang/stdlib@"+strings.TrimPrefix(info.GoVersion, "go")] = true
		for _, m := range info.Deps {
			linked["pkg:golang/"+m.Path+"@"+m.Version] = true
		}
	}
	for purl := range linked {
		if !listed[purl] {
			t.Errorf("%s is linked, and not listed", purl)
		}
	}
	if len(listed) != len(linked) || len(linked) < 20 {
		t.Errorf("%d modules are listed, and %d linked", len(listed), len(linked))
	}
}
