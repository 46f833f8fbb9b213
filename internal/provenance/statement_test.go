package provenance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"chartserve/internal/chart"
)

func TestParseRefuses(t *testing.T) {
	key := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0)
	good := sign(t, key, text())
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":            {nil, ErrForm},
		"no PGP":             {[]byte(text()), ErrForm},
		"cut in the text":    {good[:60], ErrForm},
		"cut in the armor":   {good[:len(good)-60], ErrForm},
		"another header":     {replaced(t, good, "Hash: SHA512", "Charset: ISO-8859-1"), ErrForm},
		"no end mark":        {sign(t, key, strings.Replace(text(), "...\n", "", 1)), ErrForm},
		"no metadata":        {sign(t, key, "\n...\nfiles:\n  a: b\n"), ErrForm},
		"bad metadata":       {sign(t, key, strings.Replace(text(), "name: nova", "name: [1]", 1)), chart.ErrMetadata},
		"not UTF-8":          {sign(t, key, strings.Replace(text(), "compute", "caf\xe9", 1)), ErrForm},
		"no files":           {sign(t, key, strings.Replace(text(), "files:", "images:", 1)), ErrForm},
		"files is a list":    {sign(t, key, strings.Split(text(), "files:")[0]+"files: [a]\n"), ErrForm},
		"too long":           {append(bytes.Clone(good), bytes.Repeat([]byte("\n"), MaxSize)...), chart.ErrLimit},
		"a second signature": {bytes.ReplaceAll(good, []byte("-----END PGP SIGNATURE-----"), []byte("-----BEGIN PGP SIGNATURE-----")), ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.data)
			if !errors.Is(err, c.want) || !errors.Is(err, ErrForm) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// What is hostile takes no longer, and no more memory, than its size allows for.
func TestParseIsBounded(t *testing.T) {
	key := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0)
	long := strings.Repeat("x", 200<<10)
	var b strings.Builder
	fmt.Fprintf(&b, "files:\n  a: &a %s\n", long)
	for i := range 40_000 {
		fmt.Fprintf(&b, "  b%d: *a\n", i)
	}
	bomb := b.String()
	head := strings.Split(text(), "files:")[0]
	for name, data := range map[string][]byte{
		"aliases":       sign(t, key, head+bomb),
		"metadata":      sign(t, key, strings.Replace(bomb, "files:", "annotations:", 1)+"\n"+text()),
		"nested armor":  bytes.Repeat([]byte("-----BEGIN PGP SIGNED MESSAGE-----\n"), MaxSize/36),
		"nested armor2": bytes.Repeat([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n-----BEGIN PGP SIGNATURE-----\n"), MaxSize/84),
		"end marks":     sign(t, key, strings.Repeat("\n...\n", MaxSize/10)),
		"deep YAML":     sign(t, key, head+"files: "+strings.Repeat("[", 400_000)),
	} {
		t.Run(name, func(t *testing.T) {
			if len(data) > MaxSize {
				t.Fatalf("the input has %d bytes: it is not looked at", len(data))
			}
			start := time.Now()
			if s, err := Parse(data); err == nil {
				_, _ = new(Keyring).Verify(s, signed())
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f, "ann", packet.PubKeyAlgoEdDSA, 0)
	k := ring(f, false, key)
	good := sign(f, key, text())
	f.Add(good)
	f.Add(replaced(f, good, "files:", "- files:"))
	f.Add(append([]byte("text\n"), good...))
	f.Add(bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")))
	f.Add(sign(f, key, "a: &a [x]\nb: *a\n\n...\nfiles: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrForm) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if s.Metadata == nil || len(s.Files) == 0 {
			t.Errorf("got %+v without an error", s)
		}
		if by, err := k.Verify(s, signed()); err == nil && by != signer(key) {
			t.Errorf("signed by %v, whose key is not in the ring", by)
		}
	})
}
