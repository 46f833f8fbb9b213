package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptNewKey is "newkey [-expired] [-passphrase TEXT] NAME SECRET ARMORED PUBLIC": it
// makes a key of NAME <NAME@example.com> and writes it into three files.
func scriptNewKey(ts *testscript.TestScript, _ bool, args []string) {
	c := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}
	var passphrase string
	switch args[0] {
	case "-expired":
		c.KeyLifetimeSecs, args = 60, args[1:]
		c.Time = func() time.Time { return time.Now().Add(-time.Hour) }
	case "-passphrase":
		passphrase, args = args[1], args[2:]
	}
	e, err := openpgp.NewEntity(args[0], "", args[0]+"@example.com", c)
	ts.Check(err)
	var public, secret, armored bytes.Buffer
	ts.Check(e.Serialize(&public))
	if passphrase != "" {
		ts.Check(e.EncryptPrivateKeys([]byte(passphrase), c))
	}
	ts.Check(e.SerializePrivateWithoutSigning(&secret, nil))
	w, err := armor.Encode(&armored, openpgp.PrivateKeyType, nil)
	ts.Check(err)
	_, err = w.Write(secret.Bytes())
	ts.Check(err)
	ts.Check(w.Close())
	for i, data := range [][]byte{secret.Bytes(), armored.Bytes(), public.Bytes()} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i+1]), data, 0o600))
	}
}

// What opens the key, and the key itself, are in no output, no log and no file that
// chartserve writes, whether signing works or not.
func TestPassphraseIsNowhere(t *testing.T) {
	const passphrase = "correct-horse-battery"
	dir := t.TempDir()
	t.Chdir(dir)
	e, err := openpgp.NewEntity("ann", "", "ann@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	check(t, err)
	var plain, locked bytes.Buffer
	check(t, e.SerializePrivateWithoutSigning(&plain, nil))
	check(t, e.EncryptPrivateKeys([]byte(passphrase), nil))
	check(t, e.SerializePrivateWithoutSigning(&locked, nil))
	writeFile(t, "plain.gpg", plain.String())
	writeFile(t, "locked.gpg", locked.String())
	writeFile(t, "pass", passphrase+"\n")
	writeFile(t, "wrong", passphrase+"x\n")
	writeChart(t, "charts", "nova", "1.0.0")
	secrets := map[string]string{"the passphrase": passphrase, "the key": plain.String()[40:60], "the encrypted key": locked.String()[40:60]}
	for _, args := range [][]string{
		{"--keyring", "locked.gpg", "--passphrase-file", "pass"},
		{"--keyring", "locked.gpg", "--passphrase-file", "wrong"},
		{"--keyring", "locked.gpg", "--passphrase-file", "pass", "--key", passphrase + "?"},
		{"--keyring", "pass"},
		{"--keyring", "plain.gpg"},
	} {
		for _, command := range []string{"build", "package"} {
			all := append([]string{command, "--sign", "--key", "ann", "--log-level", "debug"}, args...)
			if command == "build" {
				all = append(all, "--repo-path", "out", "charts")
			} else {
				all = append(all, "-d", "out", "charts/nova")
			}
			code, stdout, stderr := call(t, all...)
			wrong := args[len(args)-1] != "pass" && args[1] != "plain.gpg" || args[1] == "pass"
			if wrong != (code != 0) {
				t.Errorf("%v: exit status %d\n%s", all, code, stderr)
			}
			found := map[string]string{"stdout": stdout, "stderr": strings.ReplaceAll(stderr, `key "`+passphrase+`?"`, "")}
			check(t, filepath.WalkDir("out", func(p string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					data, rerr := os.ReadFile(p)
					found[p], err = string(data), rerr
				}
				return err
			}))
			for where, text := range found {
				for what, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%v: %s is in %s", all, what, where)
					}
				}
			}
		}
	}
}

// The key is read again, also when stdin held its passphrase, and stays when it can't be.
func TestSigningKeyIsReadAgain(t *testing.T) {
	const passphrase = "correct-horse-battery"
	file := filepath.Join(t.TempDir(), "secret.gpg")
	write := func() {
		e, err := openpgp.NewEntity("ann", "", "ann@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
		check(t, err)
		check(t, e.EncryptPrivateKeys([]byte(passphrase), nil))
		var locked bytes.Buffer
		check(t, e.SerializePrivateWithoutSigning(&locked, nil))
		writeFile(t, file, locked.String())
	}
	write()
	f := &signFlags{sign: true, key: "ann", passphraseFile: "-"}
	s, err := f.signing([]string{file}, strings.NewReader(passphrase+"\n"), time.Time{})
	check(t, err)
	first := s.ID()
	write()
	if check(t, s.reload()); s.ID() == first {
		t.Error("it is the key from before")
	}
	second := s.ID()
	writeFile(t, file, "no key")
	if err := s.reload(); err == nil || s.ID() != second {
		t.Errorf("got %v, key %s, want %s", err, s.ID(), second)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
