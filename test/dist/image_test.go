package dist

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	ociArchive   = "chartserve_*_image.oci.tar"
	amd64Archive = "chartserve_*_image_linux_amd64.docker.tar"
	arm64Archive = "chartserve_*_image_linux_arm64.docker.tar"
)

// unpackedLayout is the OCI archive as a folder, with the digest of the index and its tag.
func unpackedLayout(t *testing.T) (folder, digest, tag string) {
	t.Helper()
	folder = t.TempDir()
	output(t, "tar", "-xf", made(t, "image", ociArchive), "-C", folder)
	index, err := layout.ImageIndexFromPath(folder)
	must(t, err)
	m, err := index.IndexManifest()
	must(t, err)
	if len(m.Manifests) != 1 {
		t.Fatalf("the layout has %d entries, want one", len(m.Manifests))
	}
	return folder, m.Manifests[0].Digest.String(), m.Manifests[0].Annotations["org.opencontainers.image.ref.name"]
}

// manifestsOf are those of the index with that digest, by platform.
func manifestsOf(t *testing.T, folder, digest string) map[string]v1.Manifest {
	t.Helper()
	all := map[string]v1.Manifest{}
	var index v1.IndexManifest
	must(t, json.Unmarshal(blob(t, folder, digest), &index))
	for _, d := range index.Manifests {
		var m v1.Manifest
		must(t, json.Unmarshal(blob(t, folder, d.Digest.String()), &m))
		all[d.Platform.String()] = m
	}
	return all
}

func blob(t *testing.T, folder, digest string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:")))
	must(t, err)
	return data
}

// The archives for docker load hold the same images as the OCI layout: the ID of an image is
// its config's digest.
func TestImageArchives(t *testing.T) {
	folder, digest, tag := unpackedLayout(t)
	manifests := manifestsOf(t, folder, digest)
	if len(manifests) != 2 {
		t.Errorf("the index has %d platforms, want 2", len(manifests))
	}
	shared := map[string]int{}
	for platform, archive := range map[string]string{"linux/amd64": amd64Archive, "linux/arm64": arm64Archive} {
		path := made(t, "image", archive)
		output(t, tool(t, "crane"), "validate", "--tarball", path)
		img, err := tarball.ImageFromPath(path, nil)
		must(t, err)
		id, err := img.ConfigName()
		must(t, err)
		m := manifests[platform]
		if id != m.Config.Digest {
			t.Errorf("%s: the archive has the image %s, the layout %s", platform, id, m.Config.Digest)
		}
		for _, l := range m.Layers {
			shared[l.Digest.String()]++
		}
		names, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
		must(t, err)
		if got := names[0].RepoTags; len(got) != 1 || got[0] != "chartserve:"+tag {
			t.Errorf("%s: tags %v, want chartserve:%s", platform, got, tag)
		}
	}
	if len(shared) != 3 {
		t.Errorf("there are %d layers, want 3: the base is shared", len(shared))
	}
}

// What is in the image: nothing but what is listed, and each program is of its platform.
func TestImageFiles(t *testing.T) {
	want := strings.TrimSpace(`
charts drwxr-xr-x 0/0
data drwxr-xr-x 65532/65532
etc drwxr-xr-x 0/0
etc/group -rw-r--r-- 0/0
etc/passwd -rw-r--r-- 0/0
etc/ssl drwxr-xr-x 0/0
etc/ssl/certs drwxr-xr-x 0/0
etc/ssl/certs/ca-certificates.crt -rw-r--r-- 0/0
tmp drwxrwxrwt 0/0
usr drwxr-xr-x 0/0
usr/bin drwxr-xr-x 0/0
usr/bin/chartserve -rwxr-xr-x 0/0
usr/share drwxr-xr-x 0/0
usr/share/doc drwxr-xr-x 0/0
usr/share/doc/chartserve drwxr-xr-x 0/0
usr/share/doc/chartserve/LICENSE -rw-r--r-- 0/0
usr/share/doc/chartserve/NOTICE -rw-r--r-- 0/0
usr/share/doc/chartserve/THIRD_PARTY_LICENSES -rw-r--r-- 0/0`)
	for machine, archive := range map[elf.Machine]string{elf.EM_X86_64: amd64Archive, elf.EM_AARCH64: arm64Archive} {
		root := filepath.Join(t.TempDir(), "root.tar")
		output(t, "sh", "-c", `exec "$0" export - - <"$1" >"$2"`, tool(t, "crane"), made(t, "image", archive), root)
		var got []string
		for line := range strings.Lines(output(t, "tar", "--numeric-owner", "-tvf", root)) {
			f := strings.Fields(line)
			got = append(got, strings.TrimSuffix(f[5], "/")+" "+f[0]+" "+f[1])
		}
		slices.Sort(got)
		if got := strings.Join(got, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", archive, got, want)
		}
		dir := t.TempDir()
		output(t, "tar", "-xf", root, "-C", dir, "usr/bin/chartserve")
		program, err := elf.Open(filepath.Join(dir, "usr/bin/chartserve"))
		must(t, err)
		if libraries, err := program.ImportedLibraries(); program.Machine != machine || err != nil || len(libraries) > 0 {
			t.Errorf("%s: a program for %v, with %v (%v)", archive, program.Machine, libraries, err)
		}
		program.Close()
	}
}

// Real clients copy the image, whole, into a chartserve and back: nothing about it changes.
func TestImageCopies(t *testing.T) {
	folder, digest, tag := unpackedLayout(t)
	host := serve(t, "--allow-upload", t.TempDir())
	crane, skopeo, regctl := tool(t, "crane"), tool(t, "skopeo"), tool(t, "regctl")
	at := func(by string) string { return host + "/images/" + by + ":" + tag }
	oci := made(t, "image", ociArchive)
	policy := filepath.Join(t.TempDir(), "policy.json")
	write(t, policy, `{"default": [{"type": "insecureAcceptAnything"}]}`)

	output(t, skopeo, "--policy", policy, "copy", "-q", "--all", "--dest-tls-verify=false", "oci-archive:"+oci+":"+tag, "docker://"+at("skopeo"))
	output(t, skopeo, "--policy", policy, "copy", "-q", "--all", "--dest-tls-verify=false", "oci:"+folder+":"+tag, "docker://"+at("skopeo-folder"))
	output(t, crane, "push", folder, at("crane"))
	output(t, "sh", "-c", `"$0" registry set "$1" --tls=disabled && "$0" image import "$2" "$3"`, regctl, host, at("regctl"), oci)
	output(t, crane, "copy", at("skopeo"), at("crane-copy"))
	for _, by := range []string{"skopeo", "skopeo-folder", "crane", "regctl", "crane-copy"} {
		got := strings.TrimSpace(output(t, crane, "digest", at(by)))
		if got != digest {
			t.Errorf("%s: the registry has %s, want %s", by, got, digest)
			continue
		}
		output(t, crane, "validate", "--remote", at(by))
	}
	back := filepath.Join(t.TempDir(), "back.tar")
	output(t, skopeo, "--policy", policy, "copy", "-q", "--all", "--src-tls-verify=false", "docker://"+at("skopeo"), "oci-archive:"+back+":"+tag)

	want := manifestsOf(t, folder, digest)["linux/amd64"].Config.Digest.String()
	archive := made(t, "image", amd64Archive)
	output(t, crane, "push", archive, at("docker-crane"))
	output(t, skopeo, "--policy", policy, "copy", "-q", "--dest-tls-verify=false", "docker-archive:"+archive, "docker://"+at("docker-skopeo"))
	for _, by := range []string{"docker-crane", "docker-skopeo"} {
		config := output(t, crane, "config", at(by))
		if got := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(strings.TrimSuffix(config, "\n")))); got != want {
			t.Errorf("%s: the registry has the image %s, want %s", by, got, want)
		}
	}
}
