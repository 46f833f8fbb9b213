package access

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/GehirnInc/crypt"
	"github.com/GehirnInc/crypt/apr1_crypt"
	"github.com/GehirnInc/crypt/sha256_crypt"
	"github.com/GehirnInc/crypt/sha512_crypt"
	"golang.org/x/crypto/bcrypt"
)

const (
	// maxCost bounds what one check of a bcrypt hash takes, to about a second.
	maxCost = 14
	// maxRounds does so for SHA-256 and SHA-512.
	maxRounds = 1_000_000
	// maxPassword is in bytes. What the other forms take grows with it.
	maxPassword = 256
	maxName     = 64
)

// verifier checks a password. cost orders verifiers by the time that they take.
type verifier struct {
	check func(password string) bool
	cost  int
}

// parseHtpasswd reads an htpasswd file: users by name. Errors begin with the line.
func parseHtpasswd(data []byte) (map[string]verifier, error) {
	users := map[string]verifier{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, hash, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("line %d: not NAME:HASH (htpasswd -B FILE NAME writes such a line)", number)
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if _, twice := users[name]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice (delete one of the lines)", number, name)
		}
		v, err := parseHash(hash)
		if err != nil {
			return nil, fmt.Errorf("line %d: the password of %s %w", number, name, err)
		}
		users[name] = v
	}
	return users, nil
}

// checkName refuses names that can't be sent, or that would make a log hard to read. It
// does not repeat them: in a wrong line that may be the secret.
func checkName(name string) error {
	bad := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == ':' }
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("the name: write 1 to %d bytes without blanks and colons", maxName)
	}
	return nil
}

// parseHash reads the hashes that htpasswd writes. Errors go on behind "the password of
// NAME".
func parseHash(hash string) (verifier, error) {
	switch {
	case strings.HasPrefix(hash, "$2"):
		return parseBcrypt(hash)
	case strings.HasPrefix(hash, "{SHA}"):
		return parseSHA1(hash[len("{SHA}"):])
	case strings.HasPrefix(hash, apr1_crypt.MagicPrefix):
		return crypted(apr1_crypt.New(), hash, 1, 22)
	case strings.HasPrefix(hash, sha256_crypt.MagicPrefix):
		return crypted(sha256_crypt.New(), hash, 2, 43)
	case strings.HasPrefix(hash, sha512_crypt.MagicPrefix):
		return crypted(sha512_crypt.New(), hash, 2, 86)
	}
	return verifier{}, errors.New("is plain text, or hashed in a way that is too weak or not known (make it anew with htpasswd -B)")
}

func parseBcrypt(hash string) (verifier, error) {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || len(hash) != 60 {
		return verifier{}, errors.New("is no whole bcrypt hash (make it anew with htpasswd -B)")
	}
	if cost > maxCost {
		return verifier{}, fmt.Errorf("has the bcrypt cost %d, and each login would take seconds (make it anew with htpasswd -B -C 10; at most %d)", cost, maxCost)
	}
	return verifier{cost: 1000 << cost, check: func(password string) bool {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}}, nil
}

func parseSHA1(text string) (verifier, error) {
	want, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(want) != sha1.Size {
		return verifier{}, errors.New("is no whole SHA-1 hash (make it anew with htpasswd -B)")
	}
	return verifier{check: func(password string) bool {
		got := sha1.Sum([]byte(password))
		return subtle.ConstantTimeCompare(got[:], want) == 1
	}}, nil
}

// crypted is for $ID$[rounds=N$]SALT$HASH, whose hash has that many characters.
func crypted(c crypt.Crypter, hash string, weight, length int) (verifier, error) {
	parts := strings.Split(hash, "$")[2:]
	rounds := 5000
	if text, ok := strings.CutPrefix(parts[0], "rounds="); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 || n > maxRounds {
			return verifier{}, fmt.Errorf("has rounds that are no number from 1000 to %d (make it anew with htpasswd -B)", maxRounds)
		}
		rounds, parts = n, parts[1:]
	}
	if len(parts) != 2 || parts[0] == "" || len(parts[1]) != length {
		return verifier{}, errors.New("is no whole hash (make it anew with htpasswd -B)")
	}
	return verifier{cost: weight * rounds, check: func(password string) bool {
		return c.Verify(hash, []byte(password)) == nil
	}}, nil
}
