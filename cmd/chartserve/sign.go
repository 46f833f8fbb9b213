package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
)

// passphraseVariable holds the passphrase of --key where no file does. There is no flag
// for it: other users of the machine can read the command line.
const passphraseVariable = envPrefix + "PASSPHRASE"

// keyringFlags name files with OpenPGP keys.
type keyringFlags struct{ keyrings []string }

// register adds the flag; keys are those that the files hold.
func (f *keyringFlags) register(cmd *cobra.Command, keys string) {
	defer titled(cmd.Flags(), signatureTitle)()
	cmd.Flags().StringArrayVar(&f.keyrings, "keyring", nil, "`FILE` with "+keys+", binary or armored (repeatable)")
	_ = cmd.MarkFlagFilename("keyring", "gpg", "asc", "pgp")
}

// signFlags say which key signs the archives that are packaged.
type signFlags struct {
	sign                bool
	key, passphraseFile string
	piped               string // the passphrase from stdin, which can be read once
}

func (f *signFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	defer titled(flags, signatureTitle)()
	flags.BoolVar(&f.sign, "sign", false, "sign each archive that is packaged: write NAME-VERSION.tgz.prov beside it, as helm package --sign does; needs --key and --keyring")
	flags.StringVar(&f.key, "key", "", "`NAME` of the secret key in --keyring that signs: a user ID, a part of one, or a fingerprint")
	flags.StringVar(&f.passphraseFile, "passphrase-file", "", "`FILE` whose first line opens the --key; - is stdin; without it the variable "+passphraseVariable+" does")
	_ = cmd.MarkFlagFilename("passphrase-file")
}

// signer returns the key; nil: nothing is to be signed. Signatures say that they were
// made at epoch; zero: by the clock.
func (f *signFlags) signer(keyrings []string, stdin io.Reader, epoch time.Time) (*provenance.Key, error) {
	switch {
	case !f.sign && f.key+f.passphraseFile != "":
		return nil, usagef("--key and --passphrase-file need --sign")
	case !f.sign:
		return nil, nil
	case f.key == "":
		return nil, usagef("--sign needs --key NAME: a part of the key's user ID, such as its e-mail address")
	case len(keyrings) == 0:
		return nil, usagef("--sign needs --keyring FILE: gpg --export-secret-keys NAME >FILE writes one")
	}
	k, err := readKeyrings(keyrings)
	if err != nil {
		return nil, err
	}
	key, err := k.Key(f.key, func() ([]byte, error) { return f.passphrase(stdin) }, epoch)
	if errors.Is(err, provenance.ErrKey) {
		err = fmt.Errorf("keyring %s: %w", strings.Join(keyrings, ", "), err)
	}
	return key, err
}

// passphrase is asked for when the key is encrypted.
func (f *signFlags) passphrase(stdin io.Reader) ([]byte, error) {
	text, from := os.Getenv(passphraseVariable), "environment variable "+passphraseVariable
	var err error
	switch f.passphraseFile {
	case "":
		if text == "" {
			return nil, fmt.Errorf("the key is encrypted: give --passphrase-file FILE, or set %s", passphraseVariable)
		}
	case "-":
		from = "--passphrase-file -"
		if f.piped == "" {
			f.piped, err = readPiped(stdin)
		}
		text = f.piped
	default:
		from = "--passphrase-file"
		text, err = readSecret(f.passphraseFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	line, _, _ := strings.Cut(text, "\n") // as Helm does
	return []byte(strings.TrimSuffix(line, "\r")), nil
}

// readPiped reads a secret from stdin, which must not be a terminal: that would show it.
func readPiped(stdin io.Reader) (string, error) {
	if isTerminal(stdin) {
		return "", errors.New("nothing is piped in (use < FILE, or | from what prints it)")
	}
	data, err := chart.ReadAtMost(stdin, maxSecret)
	if err == nil && len(data) == 0 {
		err = errors.New("stdin is empty")
	}
	return string(data), err
}

// trustFlags say whether archives of others need a signature.
type trustFlags struct{ require bool }

// register adds the flag; what names the action that needs a signature.
func (f *trustFlags) register(cmd *cobra.Command, what string) {
	defer titled(cmd.Flags(), signatureTitle)()
	cmd.Flags().BoolVar(&f.require, "require-signature", false, what+" only when its provenance is signed by a key of --keyring")
}

// trust returns the keys whose signatures count; nil: none is needed.
func (f *trustFlags) trust(keyrings []string) (*trust, error) {
	switch {
	case !f.require:
		return nil, nil
	case len(keyrings) == 0:
		return nil, usagef("--require-signature needs --keyring FILE: gpg --export NAME >FILE writes one")
	}
	return readTrust(keyrings)
}

// readTrust returns the keys in keyrings, of which there is one at least.
func readTrust(keyrings []string) (*trust, error) {
	t := &trust{reread[provenance.Keyring]{read: func() (*provenance.Keyring, error) { return readKeyrings(keyrings) }}}
	return t, t.reload()
}

// vouch asks the keys whose signatures count; nil: none is needed.
func (f *trustFlags) vouch(keyrings []string) (func(provenance []byte, file, digest string) error, error) {
	t, err := f.trust(keyrings)
	if t == nil || err != nil {
		return nil, err
	}
	return t.Vouch, nil
}
