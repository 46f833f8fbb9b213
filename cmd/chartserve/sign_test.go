package main

import (
	"bytes"
	"os"
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
