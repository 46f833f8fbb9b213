package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// gnupgKeys is a key that GnuPG made and exported, behind a passphrase, which is in a file.
func gnupgKeys(t *testing.T, algorithm string) (k *keys, passphrase string) {
	t.Helper()
	home, err := os.MkdirTemp("", "gpg") // a short path: there are sockets in it
	must(t, err)
	gpg := func(args ...string) string {
		t.Helper()
		args = append([]string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "correct horse"}, args...)
		cmd := exec.Command("gpg", args...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg (Debian's gnupg has it): %v %s", err, out)
		}
		return string(out)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	gpg("--quick-gen-key", "ann <ann@example.com>", algorithm, "sign", "0")
	dir := t.TempDir()
	files{"pub.gpg": gpg("--export", "ann"), "sec.gpg": gpg("--export-secret-keys", "ann"), "sec.asc": gpg("--armor", "--export-secret-keys", "ann"), "pass": "correct horse\n"}.write(t, dir)
	return &keys{public: filepath.Join(dir, "pub.gpg"), secret: filepath.Join(dir, "sec.gpg"), armored: filepath.Join(dir, "sec.asc")}, filepath.Join(dir, "pass")
}

// plusChart has a version that clients write in several ways.
func plusChart() files {
	return files{"Chart.yaml": "apiVersion: v1\nname: plus\nversion: 1.0.0+abc.1\n", "values.yaml": "a: 1\n"}
}

// TestSign: what chartserve signs every client accepts, with keys of every kind.
func TestSign(t *testing.T) {
	for name, c := range map[string]struct {
		make     func(t *testing.T) (k *keys, passphrase string)
		armored  bool
		notHelm2 bool
	}{
		"RSA":            {make: func(t *testing.T) (*keys, string) { return newKeys(t, rsa), "" }},
		"EdDSA":          {make: func(t *testing.T) (*keys, string) { return newKeys(t, packet.PubKeyAlgoEdDSA), "" }, notHelm2: true},
		"GnuPG, RSA":     {make: func(t *testing.T) (*keys, string) { return gnupgKeys(t, "rsa3072") }},
		"GnuPG, Ed25519": {make: func(t *testing.T) (*keys, string) { return gnupgKeys(t, "ed25519") }, armored: true, notHelm2: true},
	} {
		t.Run(name, func(t *testing.T) {
			k, passphrase := c.make(t)
			flags := []string{"--sign", "--key", "ann", "--keyring", k.secret}
			if c.armored {
				flags[4] = k.armored
			}
			if passphrase != "" {
				flags = append(flags, "--passphrase-file", passphrase)
			}
			tree := t.TempDir()
			signedChart().write(t, filepath.Join(tree, "nova"))
			plusChart().write(t, filepath.Join(tree, "plus"))
			packages := t.TempDir()
			if r := serveTool(t, tree, append([]string{"package", "-d", packages, "nova", "plus"}, flags...)...); !r.ok() {
				t.Fatal(r.all())
			}
			s := serve(t, tree, append(flags, ".")...)
			for _, name := range clients() {
				if name == "helm2" && c.notHelm2 {
					continue // it knows no other keys
				}
				accepts(t, helm(t, name), s, k, packages)
			}
			if r := serveTool(t, ".", "verify", s.URL, "--keyring", k.public, "--require-provenance"); !r.ok() {
				t.Errorf("our own verify: %s", r.all())
			}
		})
	}
}

// accepts has a client verify what was packaged and what is served.
func accepts(t *testing.T, h *client, s *server, k *keys, packages string) {
	t.Helper()
	for _, archive := range []string{"nova-1.0.0.tgz", "plus-1.0.0+abc.1.tgz"} {
		for _, dir := range []string{packages, s.Repo} {
			h.run(t, ".", "verify", "--keyring", k.public, filepath.Join(dir, archive))
		}
	}
	h.run(t, ".", "repo", "add", "ours", s.URL)
	h.pull(t, "ours/nova", "--verify", "--keyring", k.public)
	dir := h.pull(t, "ours/plus", "--version", "1.0.0+abc.1", "--prov")
	h.run(t, ".", "verify", "--keyring", k.public, filepath.Join(dir, "plus-1.0.0+abc.1.tgz"))
	other := newKeys(t, rsa)
	if r := h.try(t, t.TempDir(), h.fetches(), "ours/nova", "--verify", "--keyring", other.public); r.ok() {
		t.Errorf("%s is content with another key:\n%s", h.name, r.all())
	}
}

// TestSignedText: what is signed is what Helm 3 and 4 sign of the same chart, but for the
// archive's digest.
func TestSignedText(t *testing.T) {
	k := newKeys(t, rsa)
	source := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
	sign := []string{"--sign", "--key", "ann", "--keyring", k.secret}
	ours := t.TempDir()
	if r := serveTool(t, source, append([]string{"package", "-d", ours, source}, sign...)...); !r.ok() {
		t.Fatal(r.all())
	}
	text := func(dir string) string {
		t.Helper()
		prov := read(t, filepath.Join(dir, "nova-1.0.0.tgz.prov"))
		head, _, ok := strings.Cut(prov, ": sha256:")
		if !ok {
			t.Fatalf("no digest in\n%s", prov)
		}
		return head
	}
	for _, name := range []string{"helm3", "helm4"} {
		theirs := t.TempDir()
		if path, r := helm(t, name).pack(t, source, theirs, sign...); path == "" {
			t.Fatal(r.all())
		}
		if got, want := text(ours), text(theirs); got != want {
			t.Errorf("got\n%s\n%s has\n%s", got, name, want)
		}
	}
}

// TestSignKilled: however a build is killed while archives get their names, none is beside the
// provenance of other bytes, and the next build completes what is missing.
func TestSignKilled(t *testing.T) {
	k := newKeys(t, packet.PubKeyAlgoEdDSA)
	tree, repo := t.TempDir(), filepath.Join(t.TempDir(), "repo")
	const charts, kills = 60, 25
	args := []string{"build", "--sign", "--key", "ann", "--keyring", k.secret, "--repo-path", repo, tree}
	edit := func(round int) {
		for i := range charts {
			name := fmt.Sprintf("c%d", i)
			files{"Chart.yaml": "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n", "values.yaml": fmt.Sprintf("a: %d\n", round)}.write(t, filepath.Join(tree, name))
		}
	}
	edit(0)
	if r := serveTool(t, ".", args...); !r.ok() {
		t.Fatal(r.all())
	}
	between := 0
	for round := range kills {
		edit(round + 1)
		old := filesOf(t, repo)
		cmd := exec.Command(program(t), args...)
		cmd.Env = environment(t.TempDir())
		must(t, cmd.Start())
		for end := time.Now().Add(startTime); renamed(old) == 0 && time.Now().Before(end); {
		}
		time.Sleep(time.Duration(rand.Int64N(int64(500 * time.Microsecond))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if n := renamed(old); n > 0 && n < charts {
			between++
		}
		agreeing(t, repo)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d kills came between the first archive and the last", between, kills)
	if between == 0 {
		t.Error("no kill came while archives got their names: this tested nothing")
	}
	if r := serveTool(t, ".", args...); !r.ok() {
		t.Fatal(r.all())
	}
	if r := serveTool(t, ".", "verify", "--repo-path", repo, "--keyring", k.public, "--require-provenance"); !r.ok() {
		t.Error(r.all())
	}
}

// filesOf are the files of a folder's archives, by path.
func filesOf(t *testing.T, repo string) map[string]os.FileInfo {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(repo, "*.tgz"))
	must(t, err)
	files := map[string]os.FileInfo{}
	for _, path := range all {
		files[path], err = os.Stat(path)
		must(t, err)
	}
	return files
}

// renamed counts those in whose place is another file.
func renamed(old map[string]os.FileInfo) (n int) {
	for path, was := range old {
		if is, err := os.Stat(path); err == nil && !os.SameFile(was, is) {
			n++
		}
	}
	return n
}

// agreeing checks the provenance files of a folder, each of which must name the digest of the
// archive beside it, if that is there.
func agreeing(t *testing.T, repo string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(repo, "*.prov"))
	must(t, err)
	for _, prov := range all {
		archive, err := os.ReadFile(strings.TrimSuffix(prov, ".prov"))
		if os.IsNotExist(err) {
			continue
		}
		must(t, err)
		sum := sha256.Sum256(archive)
		if !strings.Contains(read(t, prov), "sha256:"+hex.EncodeToString(sum[:])) {
			t.Errorf("%s is of other bytes than the archive beside it", filepath.Base(prov))
		}
	}
}
