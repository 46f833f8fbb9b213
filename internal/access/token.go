package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gofrs/flock"

	"chartserve/internal/chart"
	"chartserve/internal/reload"
)

const (
	hashPrefix = "sha256:"
	// tokenPrefix lets those who look for lost secrets recognise one.
	tokenPrefix = "chartserve_"
)

// Token is a line of a token file: who has it, what it may do and until when.
type Token struct {
	Name   string
	Rights []Right
	// Charts are globs of chart names; none: all charts.
	Charts []string
	// Expires is zero for one that does not.
	Expires time.Time

	repositories []string
	hash         [sha256.Size]byte
}

func (t *Token) grant() *grant {
	return &grant{Rights: t.Rights, Charts: t.Charts, Repositories: t.repositories}
}

// line is t as parseToken reads it.
func (t *Token) line() string {
	fields := []string{t.Name, hashPrefix + hex.EncodeToString(t.hash[:]), "rights=" + joinRights(t.Rights)}
	if len(t.Charts) > 0 {
		fields = append(fields, "charts="+strings.Join(t.Charts, ","))
	}
	if len(t.repositories) > 0 {
		fields = append(fields, "repositories="+strings.Join(t.repositories, ","))
	}
	if !t.Expires.IsZero() {
		fields = append(fields, "expires="+t.Expires.UTC().Format(time.RFC3339))
	}
	return strings.Join(fields, " ")
}

func joinRights(rights []Right) string {
	words := make([]string, len(rights))
	for i, r := range rights {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// parseTokens reads a token file. Errors begin with the line.
func parseTokens(data []byte) ([]*Token, error) {
	var tokens []*Token
	names := map[string]bool{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		t, err := parseToken(fields)
		if err == nil && names[t.Name] {
			err = fmt.Errorf("%s is there twice (delete one of the lines)", t.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		names[t.Name] = true
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func parseToken(fields []string) (*Token, error) {
	t := &Token{Name: fields[0]}
	if err := checkName(t.Name); err != nil {
		return nil, err
	}
	digest := ""
	if len(fields) > 1 {
		digest, _ = strings.CutPrefix(fields[1], hashPrefix)
	}
	if n, err := hex.Decode(t.hash[:], []byte(digest)[:min(len(digest), 2*sha256.Size)]); err != nil || n != sha256.Size || len(digest) != 2*n {
		return nil, errors.New("not NAME sha256:HEX rights=... (chartserve token create writes such a line)")
	}
	seen := map[string]bool{}
	for _, field := range fields[2:] {
		key, value, _ := strings.Cut(field, "=")
		if seen[key] {
			return nil, fmt.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if err := t.set(key, value); err != nil {
			return nil, err
		}
	}
	return t, t.grant().check()
}

// set reads one field behind the hash.
func (t *Token) set(key, value string) (err error) {
	switch key {
	case "rights":
		for word := range strings.SplitSeq(value, ",") {
			t.Rights = append(t.Rights, Right(word))
		}
	case "charts":
		t.Charts = strings.Split(value, ",")
	case "repositories":
		t.repositories = strings.Split(value, ",")
	case "expires":
		if t.Expires, err = time.Parse(time.RFC3339, value); err != nil {
			t.Expires, err = time.Parse(time.DateOnly, value)
		}
		if err != nil {
			return errors.New("expires: write a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z")
		}
	default:
		return errors.New("a field is none of rights=, charts=, repositories= and expires=")
	}
	return nil
}

// Create makes a secret for t, and adds t with the secret's hash to the token file at
// path, which is made with the mode 0600 where it is not there. The secret is nowhere
// but in the result. The error is about t, about a line of the file, or says that the
// name is taken.
func (t *Token) Create(path string) (secret string, err error) {
	if err := checkName(t.Name); err != nil {
		return "", err
	}
	if t.Name[0] == '#' {
		return "", errors.New("the name: it begins with #, as comments do")
	}
	if err := t.grant().check(); err != nil {
		return "", err
	}
	for i, glob := range t.Charts {
		if strings.ContainsFunc(glob, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
			return "", fmt.Errorf("charts[%d]: blanks and commas end a glob in a token file (write ? in their place)", i)
		}
	}
	secret = tokenPrefix + rand.Text() + rand.Text()
	t.hash = sha256.Sum256([]byte(secret))
	lock := flock.New(path, flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Close()
	if err := t.appendTo(path); err != nil {
		return "", err
	}
	return secret, nil
}

// appendTo adds t's line in one write, so that a server that reads the file sees all
// of it or nothing.
func (t *Token) appendTo(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, reload.MaxFile)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	others, err := parseTokens(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if slices.ContainsFunc(others, func(other *Token) bool { return other.Name == t.Name }) {
		return fmt.Errorf("%s: %s has a token (delete its line, or take another name)", path, t.Name)
	}
	line := t.line() + "\n"
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		line = "\n" + line
	}
	if _, err = io.WriteString(f, line); err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = f.Truncate(int64(len(data))) // a part of a line would spoil the file
		return err
	}
	return f.Close()
}
