package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// push puts a chart into the registry that u is then, under the path charts/NAME.
func (u *upstream) push(name, version string, prov bool, more ...string) []byte {
	u.t.Helper()
	data, info := packed(u.t, name, version, more...)
	config, err := json.Marshal(info.Metadata)
	if err != nil {
		u.t.Fatal(err)
	}
	layers := []any{u.blob(name, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", data)}
	if prov {
		layers = append(layers, u.blob(name, "application/vnd.cncf.helm.chart.provenance.v1.prov", []byte(signed(info.Digest))))
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": u.blob(name, "application/vnd.cncf.helm.config.v1+json", config), "layers": layers,
		"annotations": map[string]string{"org.opencontainers.image.created": created.Format(time.RFC3339)},
	})
	if err != nil {
		u.t.Fatal(err)
	}
	tag := strings.ReplaceAll(version, "+", "_")
	sum := sha256.Sum256(manifest)
	u.files["/v2/charts/"+name+"/manifests/"+tag] = manifest
	u.files["/v2/charts/"+name+"/manifests/sha256:"+hex.EncodeToString(sum[:])] = manifest
	u.tags = append(u.tags, tag)
	list, _ := json.Marshal(map[string]any{"name": "charts/" + name, "tags": append(u.tags, "latest")})
	u.files["/v2/charts/"+name+"/tags/list"] = list
	return data
}

func (u *upstream) blob(name, mediaType string, data []byte) any {
	sum := sha256.Sum256(data)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	u.files["/v2/charts/"+name+"/blobs/"+digest] = data
	return map[string]any{"mediaType": mediaType, "digest": digest, "size": len(data)}
}

func TestMirrorOCI(t *testing.T) {
	u := newUpstream(t)
	one, two := u.push("nova", "1.0.0", true), u.push("nova", "2.0.0+abc", false)
	u.push("nova", "3.0.0-rc1", false)
	address := strings.Replace(u.URL, "http://", "oci://", 1) + "/charts/nova"
	prov := []byte(signed(fmt.Sprintf("%x", sha256.Sum256(one))))
	dir := filepath.Join(t.TempDir(), "site")

	out, _ := mirrored(t, 0, dir, address, "--plain-http", "--dry-run")
	wantText(t, "stdout", out, "nova  2.0.0+abc  ", address+":2.0.0_abc\n", "Total: 2 archives to fetch, ")
	u.requests()
	out, _ = mirrored(t, 0, dir, address, "--plain-http")
	wantText(t, "stdout", out, ": 2 new, 0 unchanged, 0 failed; ")
	files := map[string][]byte{"nova-1.0.0.tgz": one, "nova-1.0.0.tgz.prov": prov, "nova-2.0.0+abc.tgz": two}
	holds(t, dir, files)
	// Tags; a manifest, its configuration and the archive for each; one provenance.
	if got := u.requests(); len(got) != 1+2*3+1 {
		t.Errorf("%d requests: %q", len(got), got)
	}
	mirrored(t, 0, dir, address, "--plain-http")
	wantRequests(t, u, "GET /v2/charts/nova/tags/list")

	files["nova-3.0.0-rc1.tgz"] = u.push("nova", "3.0.0-rc1", false)
	mirrored(t, 0, dir, address+":3.0.0-rc1", "--plain-http")
	holds(t, dir, files)
	u.requests()
	out, _ = mirrored(t, 0, dir, address+":3.0.0-rc1", "--plain-http")
	wantText(t, "stdout", out, ": 0 new, 1 unchanged, 0 failed; ")
	wantRequests(t, u)
}

// TestMirrorOCIDependency follows a dependency into a registry.
func TestMirrorOCIDependency(t *testing.T) {
	u := newUpstream(t)
	registry := strings.Replace(u.URL, "http://", "oci://", 1) + "/charts"
	// It depends on itself, too.
	toolkit := u.push("toolkit", "1.4.0", false, "dependencies:", "- {name: toolkit, version: 1.x.x, repository: '"+registry+"'}")
	u.push("toolkit", "2.0.0", false)
	nova := u.add("nova", "1.0.0", false, "dependencies:", "- {name: toolkit, version: 1.x.x, repository: '"+registry+"'}")
	dir := filepath.Join(t.TempDir(), "site")
	mirrored(t, 0, dir, u.URL, "--plain-http", "--with-dependencies")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova, "toolkit-1.4.0.tgz": toolkit})
	if got := strings.Count(strings.Join(u.requests(), "\n"), "/tags/list"); got != 1 {
		t.Errorf("the versions were asked for %d times, want once", got)
	}
}
