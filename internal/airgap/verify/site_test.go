package verify

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"chartserve/internal/index"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// sources is a tree of charts: one that needs another, one of the old API.
func sources() map[string]string {
	return map[string]string{
		"toolkit/Chart.yaml":         "apiVersion: v2\nname: toolkit\nversion: 0.1.0\ntype: library\n",
		"toolkit/templates/_a.tpl":   "{{- define \"a\" }}a{{ end }}\n",
		"nova/Chart.yaml":            "---\napiVersion: v2\nname: nova\nversion: 1.0.0\nappVersion: \"27.1\"\ndescription: compute\nhome: https://nova.example.com\nicon: https://icons.example.com/nova.png\nsources: [https://git.example.com/nova]\ndependencies:\n- name: toolkit\n  version: \">= 0.1.0\"\n  repository: file://../toolkit\n...\n",
		"nova/values.yaml":           "a: 1\n",
		"keystone/Chart.yaml":        "apiVersion: v1\nname: keystone\nversion: 2.0.0+abc\nmaintainers: [{name: Ann, email: ann@example.com}]\n",
		"keystone/requirements.yaml": "dependencies:\n- name: toolkit\n  version: 0.1.0\n  repository: http://localhost:8879/charts\n",
	}
}

// site is a repository folder that the real repo package has built, with
// provenance for nova.
type site struct {
	t   testing.TB
	dir string
	key *openpgp.Entity
}

func newSite(t testing.TB, format index.Format) *site {
	t.Helper()
	tree, dir := t.TempDir(), t.TempDir()
	for name, text := range sources() {
		writeFile(t, filepath.Join(tree, name), []byte(text))
	}
	r, err := repo.Open(dir, repo.Options{Sources: []string{tree}, Strict: true, IndexFormat: format})
	must(t, err)
	must(t, r.Build(t.Context()))
	must(t, r.Close())
	s := &site{t: t, dir: dir, key: newKey(t)}
	s.write("nova-1.0.0.tgz.prov", s.sign("nova-1.0.0.tgz", "nova-1.0.0.tgz", novaMetadata))
	return s
}

const novaMetadata = "apiVersion: v2\nappVersion: \"27.1\"\ndependencies:\n- name: toolkit\n  repository: file://../toolkit\n  version: '>= 0.1.0'\n" +
	"description: compute\nhome: https://nova.example.com\nicon: https://icons.example.com/nova.png\nname: nova\nsources:\n- https://git.example.com/nova\nversion: 1.0.0\n"

func newKey(t testing.TB) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Ann", "", "ann@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	must(t, err)
	return e
}

func ring(t testing.TB, key *openpgp.Entity) *provenance.Keyring {
	t.Helper()
	var b bytes.Buffer
	must(t, key.Serialize(&b))
	k := new(provenance.Keyring)
	must(t, k.Add(&b))
	return k
}

// sign gives the provenance of the archive, under a name and with metadata.
func (s *site) sign(archive, as, metadata string) []byte {
	s.t.Helper()
	sum := sha256.Sum256(s.read(archive))
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, s.key.PrivateKey, nil)
	must(s.t, err)
	_, err = w.Write([]byte(metadata + "\n...\nfiles:\n  " + as + ": sha256:" + hex.EncodeToString(sum[:]) + "\n"))
	must(s.t, err)
	must(s.t, w.Close())
	return b.Bytes()
}

func (s *site) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *site) read(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.path(name))
	must(s.t, err)
	return data
}

func (s *site) write(name string, data []byte) {
	s.t.Helper()
	must(s.t, os.RemoveAll(s.path(name))) // an archive may be linked elsewhere
	writeFile(s.t, s.path(name), data)
}

func (s *site) remove(name string) { must(s.t, os.Remove(s.path(name))) }

// edit replaces a text, which must be there, in a file; once.
func (s *site) edit(name, old, with string) {
	s.t.Helper()
	text := string(s.read(name))
	if !strings.Contains(text, old) {
		s.t.Fatalf("%s has no %q:\n%s", name, old, text)
	}
	s.write(name, []byte(strings.Replace(text, old, with, 1)))
}

// chart puts an archive of the files of a chart into the folder, and indexes it.
func (s *site) chart(archive string, files map[string]string) {
	s.t.Helper()
	s.write(archive, tgz(s.t, files))
	_, err := repo.IndexFolder(s.t.Context(), s.dir, "", repo.Options{Strict: true})
	must(s.t, err)
}

// tgz packs files whose names lack the chart's directory.
func tgz(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		must(t, tw.WriteHeader(&tar.Header{Name: "c/" + name, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Unix(1e9, 0)}))
		_, err := tw.Write([]byte(files[name]))
		must(t, err)
	}
	must(t, tw.Close())
	must(t, zw.Close())
	return b.Bytes()
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
