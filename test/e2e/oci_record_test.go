package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var rewrite = flag.Bool("update", false, "write what the clients send into internal/httpapi/testdata/clients")

// step is one command of a client.
type step struct {
	Command   string
	Exchanges []*exchange
}

// ociSteps are the commands that are recorded, by client. HOST is the recorder, DIR a folder with
// archives and files.
func ociSteps() map[string][]string {
	const plain = " --plain-http"
	helm := []string{
		"pull oci://HOST/charts/web --version 1.0.0" + plain,
		"pull oci://HOST/charts/web --version ~1.0" + plain,
		"pull oci://HOST/charts/web:1.0.0@MANIFEST" + plain,
		"show chart oci://HOST/charts/web@MANIFEST" + plain,
		"push DIR/db-1.0.0+b.1.tgz oci://HOST/charts" + plain,
		"push DIR/db-1.0.0+b.1.tgz oci://HOST/charts" + plain,
		"push DIR/db-2.0.0.tgz oci://HOST/charts" + plain,
		"pull oci://HOST/charts/db --version 1.0.0+b.1" + plain,
		"pull oci://HOST/charts/db --prov" + plain,
		"registry login HOST -u ann -p pass-ann" + plain,
	}
	return map[string][]string{
		"helm3": helm,
		"helm4": helm,
		"crane": {
			"catalog HOST", "ls HOST/charts/web", "digest HOST/charts/web:1.0.0", "manifest HOST/charts/web:1.0.0",
			"blob HOST/charts/web@LAYER", "copy HOST/charts/web:1.0.0 HOST/copies/web:1", "append -f DIR/layer.tgz -t HOST/library/hello:1",
			"tag HOST/copies/web:1 2", "delete HOST/copies/web:1",
		},
		"oras": {
			"push HOST/things/hello:1 hello.txt -a org.opencontainers.image.created=2026-01-02T03:04:05Z" + plain,
			"attach HOST/charts/web:1.0.0 hello.txt --artifact-type a/b -a org.opencontainers.image.created=2026-01-02T03:04:05Z" + plain,
			"discover HOST/charts/web:1.0.0" + plain,
			"cp HOST/charts/web:1.0.0 HOST/copies/web:1 --from-plain-http --to-plain-http",
			"pull HOST/things/hello:1 -o DIR/pulled" + plain,
			"repo ls HOST" + plain, "repo tags HOST/charts/web" + plain, "manifest delete -f HOST/things/hello:1" + plain,
		},
		"regctl": {
			"registry set HOST --tls=disabled --blob-chunk=64 --blob-max=128", "tag ls HOST/charts/web", "manifest get HOST/charts/web:1.0.0", "manifest head HOST/charts/web:1.0.0",
			"image copy HOST/charts/web:1.0.0 HOST/copies/web:1", "artifact list HOST/charts/web:1.0.0", "tag rm HOST/copies/web:1",
			"image copy HOST/charts/web:1.0.0 ocidir://DIR/layout:1", "image copy ocidir://DIR/layout:1 HOST/more/web:1",
		},
		"skopeo": {
			"inspect --raw --tls-verify=false docker://HOST/charts/web:1.0.0", "list-tags --tls-verify=false docker://HOST/charts/web",
			"copy --insecure-policy --src-tls-verify=false docker://HOST/charts/web:1.0.0 oci:DIR/layout:1",
			"copy --insecure-policy --dest-tls-verify=false oci:DIR/layout:1 docker://HOST/copies/web:1",
			"copy --insecure-policy --src-tls-verify=false --dest-tls-verify=false docker://HOST/copies/web:1 docker://HOST/more/web:1",
			"delete --tls-verify=false docker://HOST/copies/web:1",
		},
	}
}

// ociLogins are the commands that are recorded where reading is open to all and writing is ann's.
// Several uploads at once are left out: which of them are asked for a password differs each time.
func ociLogins() map[string][]string {
	const ann = " -u ann -p " + annsPassword
	return map[string][]string{
		"helm3-login": {"registry login HOST --plain-http" + ann, "show chart oci://HOST/charts/web --version 1.0.0 --plain-http"},
		"helm4-login": {"registry login HOST --plain-http" + ann, "show chart oci://HOST/charts/web --version 1.0.0 --plain-http"},
		"crane-login": {"manifest HOST/charts/web:1.0.0", "auth login HOST" + ann, "copy HOST/charts/web:1.0.0 HOST/copies/web:1"},
		"oras-login":  {"login HOST --plain-http" + ann, "manifest fetch HOST/charts/web:1.0.0 --plain-http"},
		"regctl-login": {
			"registry set HOST --tls=disabled --skip-check", "manifest get HOST/charts/web:1.0.0", "registry login HOST" + ann, "tag ls HOST/charts/web",
		},
		"skopeo-login": {
			"inspect --raw --tls-verify=false docker://HOST/charts/web:1.0.0", "login HOST --tls-verify=false" + ann,
			"copy --insecure-policy --src-tls-verify=false --dest-tls-verify=false docker://HOST/charts/web:1.0.0 docker://HOST/copies/web:1",
		},
	}
}

// TestOCIRequests: the clients send what they sent when internal/httpapi/testdata/clients was
// made, which the unit tests there send again. A client of another version may not: then
// go test -run TestOCIRequests -update writes what it sends, and the unit tests tell whether
// that is answered as before.
func TestOCIRequests(t *testing.T) {
	folder := filepath.Join("..", "..", "internal", "httpapi", "testdata", "clients")
	steps := ociSteps()
	maps.Copy(steps, ociLogins())
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := recorded(t, name, filepath.Join(folder, "charts"), steps[name])
			path := filepath.Join(folder, name+".json")
			if *rewrite {
				var out bytes.Buffer
				encoder := json.NewEncoder(&out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "\t")
				must(t, encoder.Encode(got))
				must(t, os.WriteFile(path, out.Bytes(), 0o644))
			}
			var want []step
			must(t, json.Unmarshal([]byte(read(t, path)), &want))
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(exchange{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the client sends other requests, or gets other answers; -update writes them down (-was +is):\n%s", diff)
			}
		})
	}
}

// recorded runs the commands of a client one after the other against a server of charts.
func recorded(t *testing.T, name, charts string, commands []string) (steps []step) {
	t.Helper()
	charts, err := filepath.Abs(charts)
	must(t, err)
	dir := recordedFiles(t)
	args := []string{"--allow-upload", charts}
	name, login := strings.CutSuffix(name, "-login")
	if login {
		args = append(args, "--htpasswd", filepath.Join(dir, "users"), "--anonymous-read")
	}
	s := serve(t, dir, args...)
	r := record(t, s)
	m := s.manifest(t, "charts/web", "1.0.0")
	fill := strings.NewReplacer("HOST", r.host, "DIR", dir, "MANIFEST", m.digest, "LAYER", m.layer(chartLayer))
	c := ociClient(t, name, "")
	for _, command := range commands {
		r.take()
		if r := execute(t, dir, c.env, c.path, strings.Fields(fill.Replace(command))...); !r.ok() {
			t.Fatalf("%s %s: %s", name, command, r.all())
		}
		steps = append(steps, step{command, r.take()})
	}
	return steps
}

// recordedFiles are archives and files with the same bytes each time. One archive has a provenance
// with a signature that nobody made.
func recordedFiles(t *testing.T) string {
	t.Helper()
	dir := files{
		"hello.txt":        "hello\n",
		"users":            users("ann"),
		"layer.tgz":        string(tgz(t, file("hello.txt", "hello\n"))),
		"one/Chart.yaml":   "apiVersion: v2\nname: db\nversion: 1.0.0+b.1\n",
		"other/Chart.yaml": "apiVersion: v2\nname: db\nversion: 2.0.0\n",
	}.write(t, t.TempDir())
	if r := serveTool(t, dir, "package", "one", "other"); !r.ok() {
		t.Fatal(r.all())
	}
	files{"db-2.0.0.tgz.prov": "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: db\nversion: 2.0.0\n\n...\nfiles:\n  db-2.0.0.tgz: " +
		digestOf(read(t, filepath.Join(dir, "db-2.0.0.tgz"))) + "\n-----BEGIN PGP SIGNATURE-----\n\nc2lnbmVk\n-----END PGP SIGNATURE-----\n"}.write(t, dir)
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, name := range []string{"db-1.0.0+b.1.tgz", "db-2.0.0.tgz"} {
		must(t, os.Chtimes(filepath.Join(dir, name), then, then)) // Helm writes it into the manifest
	}
	return dir
}
