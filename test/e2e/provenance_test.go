package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// keys is a key of its own and the keyring files that Helm reads, in dir.
type keys struct {
	entity                  *openpgp.Entity
	public, secret, armored string
}

func newKeys(t *testing.T, algorithm packet.PublicKeyAlgorithm) *keys {
	t.Helper()
	e, err := openpgp.NewEntity("ann", "", "ann@example.com", &packet.Config{Algorithm: algorithm, RSABits: 2048})
	must(t, err)
	dir := t.TempDir()
	k := &keys{entity: e, public: filepath.Join(dir, "pubring.gpg"), secret: filepath.Join(dir, "secring.gpg"), armored: filepath.Join(dir, "key.asc")}
	var public, secret, armored bytes.Buffer
	must(t, e.SerializePrivate(&secret, nil))
	must(t, e.Serialize(&public))
	w, err := armor.Encode(&armored, openpgp.PublicKeyType, nil)
	must(t, err)
	must(t, e.Serialize(w))
	must(t, w.Close())
	must(t, os.WriteFile(k.public, public.Bytes(), 0o600))
	must(t, os.WriteFile(k.secret, secret.Bytes(), 0o600))
	must(t, os.WriteFile(k.armored, armored.Bytes(), 0o600))
	return k
}

// rsa is the one kind of key that all clients sign with.
const rsa = packet.PubKeyAlgoRSA

// signedChart is a chart with a dependency, of the API version that all clients sign.
func signedChart() files {
	return files{
		"Chart.yaml":            "apiVersion: v1\nname: nova\nversion: 1.0.0\nappVersion: \"27.1\"\ndescription: \"compute: for all\"\nmaintainers:\n- name: Ann\n",
		"requirements.yaml":     "dependencies:\n- name: lib\n  version: 0.1.0\n  repository: \"\"\n",
		"values.yaml":           "a: 1\n",
		"charts/lib/Chart.yaml": "apiVersion: v1\nname: lib\nversion: 0.1.0\n",
	}
}

// agree holds our verdict on the provenance of the one archive in dir against
// Helm's; both must be good, or neither.
func agree(t *testing.T, h *client, dir, archive, keyring string, good bool) {
	t.Helper()
	theirs := h.try(t, ".", "verify", "--keyring", keyring, filepath.Join(dir, archive))
	if r := serveTool(t, dir, "index", dir); !r.ok() {
		t.Fatalf("index: %s", r.all())
	}
	r := serveTool(t, dir, "verify", "--repo-path", dir, "--keyring", keyring, "--require-provenance", "--output", "json")
	var report struct {
		Signers  []struct{ Archives int }
		Findings []struct{ File, Problem string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatalf("%v\n%s", err, r.all())
	}
	var problems []string
	for _, f := range report.Findings {
		if strings.HasSuffix(f.File, ".prov") {
			problems = append(problems, f.Problem)
		}
	}
	ours := len(problems) == 0 && len(report.Signers) == 1
	if ours != good || theirs.ok() != good {
		t.Errorf("got %v (%s), %s %v, want %v\n%s%s", ours, problems, h.name, theirs.ok(), good, r.all(), theirs.all())
	}
	if good && r.code != 0 {
		t.Errorf("exit status: got %d\n%s", r.code, r.all())
	}
}

// TestProvenance signs with each client and verifies with it and with ours: what is
// good for one is good for the other, and so is what is bad.
func TestProvenance(t *testing.T) {
	for _, name := range clients() {
		for algorithm, id := range map[string]packet.PublicKeyAlgorithm{"RSA": rsa, "EdDSA": packet.PubKeyAlgoEdDSA} {
			if name == "helm2" && algorithm != "RSA" {
				continue // it knows no other keys
			}
			t.Run(name+" "+algorithm, func(t *testing.T) {
				h, k := helm(t, name), newKeys(t, id)
				other := newKeys(t, id)
				source := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
				signed := t.TempDir()
				path, r := h.pack(t, source, signed, "--sign", "--key", "ann", "--keyring", k.secret)
				if path == "" {
					t.Fatalf("package --sign: exit %d\n%s", r.code, r.all())
				}
				tampers(t, h, k, other, source, signed)
			})
		}
	}
}

// tampers tries each way in which archive and provenance may not be what they were.
func tampers(t *testing.T, h *client, k, other *keys, source, signed string) {
	const archive = "nova-1.0.0.tgz"
	for name, c := range map[string]struct {
		change  func(t *testing.T, dir string)
		archive string // when it is another
		keyring string
		good    bool
	}{
		"good":           {good: true},
		"secret keyring": {keyring: k.secret, good: true},
		"another key":    {keyring: other.public},
		"tampered archive": {change: func(t *testing.T, dir string) {
			tampered := t.TempDir()
			signedChart().with(files{"values.yaml": "a: 2\n"}).write(t, filepath.Join(tampered, "nova"))
			if path, r := h.pack(t, filepath.Join(tampered, "nova"), dir); path == "" {
				t.Fatal(r.all())
			}
		}},
		"tampered provenance": {change: func(t *testing.T, dir string) {
			text := read(t, filepath.Join(dir, archive+".prov"))
			files{archive + ".prov": strings.Replace(text, "compute", "computer", 1)}.write(t, dir)
		}},
		"cut provenance": {change: func(t *testing.T, dir string) {
			text := read(t, filepath.Join(dir, archive+".prov"))
			files{archive + ".prov": text[:len(text)/2]}.write(t, dir)
		}},
		"renamed": {archive: "nova-1.0.1.tgz", change: func(t *testing.T, dir string) {
			for _, ext := range []string{"", ".prov"} {
				must(t, os.Rename(filepath.Join(dir, archive+ext), filepath.Join(dir, "nova-1.0.1.tgz"+ext)))
			}
		}},
		"no provenance": {change: func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, archive+".prov"))) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files{archive: read(t, filepath.Join(signed, archive)), archive + ".prov": read(t, filepath.Join(signed, archive+".prov"))}.write(t, dir)
			if c.change != nil {
				c.change(t, dir)
			}
			if c.archive == "" {
				c.archive = archive
			}
			if c.keyring == "" {
				c.keyring = k.public
			}
			agree(t, h, dir, c.archive, c.keyring, c.good)
		})
	}
}

// TestProvenanceOfOthers verifies with all what another program has signed, over an
// archive that chartserve has packaged.
func TestProvenanceOfOthers(t *testing.T) {
	source := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
	dir := t.TempDir()
	if r := serveTool(t, source, "package", source, "-d", dir); !r.ok() {
		t.Fatal(r.all())
	}
	k := newKeys(t, rsa)
	sum := sha256.Sum256([]byte(read(t, only(t, dir))))
	var prov bytes.Buffer
	w, err := clearsign.Encode(&prov, k.entity.PrivateKey, nil)
	must(t, err)
	// The metadata as Helm 2 has it: without dependencies.
	_, err = w.Write([]byte(signedChart()["Chart.yaml"] + "\n...\nfiles:\n  nova-1.0.0.tgz: sha256:" + hex.EncodeToString(sum[:]) + "\n"))
	must(t, err)
	must(t, w.Close())
	must(t, os.WriteFile(filepath.Join(dir, "nova-1.0.0.tgz.prov"), prov.Bytes(), 0o600))
	for _, name := range clients() {
		agree(t, helm(t, name), dir, "nova-1.0.0.tgz", k.public, true)
	}
	// An armored keyring is for us alone.
	if r := serveTool(t, dir, "verify", "--repo-path", dir, "--keyring", k.armored, "--require-provenance"); !r.ok() {
		t.Errorf("armored keyring: exit %d\n%s", r.code, r.all())
	}
}
