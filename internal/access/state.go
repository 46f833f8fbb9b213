package access

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"hash"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"chartserve/internal/reload"
)

const (
	// freshTime is how long a password counts as verified.
	freshTime = 5 * time.Minute
	// maxVerified bounds how many of them are remembered.
	maxVerified = 10_000
)

// mac is a hash under a key that only this process has, and only until the next reload.
type mac [sha256.Size]byte

// state is what the files said when they were read. All but verified is immutable.
type state struct {
	document
	users  map[string]verifier
	tokens map[mac]*Token
	names  map[string]bool // of tokens
	// decoy is what the password of an unknown user is compared with.
	decoy verifier
	key   []byte
	macs  sync.Pool // of hash.Hash, under key: to make one costs more than a use

	mu       sync.Mutex
	verified map[mac]time.Time
}

// load reads all that o names. Errors name file and line, or field.
func load(o *Options, files *reload.Files) (*state, error) {
	s := &state{
		users: map[string]verifier{}, tokens: map[mac]*Token{}, names: map[string]bool{},
		key: make([]byte, sha256.Size), verified: map[mac]time.Time{},
	}
	_, _ = rand.Read(s.key) // never fails
	d, dir := o.short(), ""
	if o.File != "" {
		dir = filepath.Dir(o.File)
		data, err := files.Read(o.File)
		if err != nil {
			return nil, err
		}
		if d, err = parseDocument(data); err != nil {
			return nil, fmt.Errorf("%s: %w", o.File, err)
		}
	}
	s.document = *d
	for _, name := range d.Htpasswd {
		if err := s.addUsers(files, within(dir, name)); err != nil {
			return nil, err
		}
	}
	for _, name := range d.TokenFiles {
		if err := s.addTokens(files, within(dir, name)); err != nil {
			return nil, err
		}
	}
	if o.User != "" {
		if _, twice := s.users[o.User]; twice {
			return nil, fmt.Errorf("%s: %s is in the environment too (delete the line, or unset the variables)", o.Htpasswd, o.User)
		}
		s.users[o.User] = s.plain(o.Password)
	}
	for _, v := range s.users {
		if v.cost > s.decoy.cost || s.decoy.check == nil {
			s.decoy = v
		}
	}
	return s, nil
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

func (s *state) addUsers(files *reload.Files, path string) error {
	data, err := files.Read(path)
	if err != nil {
		return err
	}
	users, err := parseHtpasswd(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name := range users {
		if _, twice := s.users[name]; twice {
			return fmt.Errorf("%s: %s is in another file too (delete one of the lines)", path, name)
		}
	}
	maps.Copy(s.users, users)
	return nil
}

func (s *state) addTokens(files *reload.Files, path string) error {
	data, err := files.Read(path)
	if err != nil {
		return err
	}
	tokens, err := parseTokens(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, t := range tokens {
		if s.names[t.Name] {
			return fmt.Errorf("%s: %s is in another file too (delete one of the lines)", path, t.Name)
		}
		s.names[t.Name] = true
		s.tokens[s.mac(t.hash[:])] = t
	}
	return nil
}

// plain is a password that is not hashed where it comes from, which is the environment.
func (s *state) plain(password string) verifier {
	want := s.mac([]byte(password))
	return verifier{check: func(password string) bool {
		got := s.mac([]byte(password))
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}}
}

func (s *state) mac(parts ...[]byte) (m mac) {
	h, ok := s.macs.Get().(hash.Hash)
	if !ok {
		h = hmac.New(sha256.New, s.key)
	}
	defer s.macs.Put(h)
	h.Reset()
	for _, p := range parts {
		h.Write(p)
		h.Write([]byte{0})
	}
	h.Sum(m[:0])
	return m
}

// token finds a token by its secret; nil: there is none.
func (s *state) token(secret string) *Token {
	if len(s.tokens) == 0 {
		return nil
	}
	sum := sha256.Sum256([]byte(secret))
	return s.tokens[s.mac(sum[:])]
}

// identity is a name that has been proved, with its rights. Who logs in may do what
// those may who don't.
func (s *state) identity(name string) Identity {
	id := s.anonymous()
	id.Name = name
	for _, g := range s.Grants {
		if matches(g.Names, name) {
			id.grants = append(id.grants, g)
		}
	}
	return id
}

// anonymous is who does not log in.
func (s *state) anonymous() (id Identity) {
	if s.AnonymousRead {
		id.grants = []*grant{{Rights: []Right{Read}}}
	}
	return id
}

// holder is who holds a client certificate; false: it has no name here.
func (s *state) holder(c *x509.Certificate) (Identity, bool) {
	subjects := append([]string{c.Subject.CommonName}, c.DNSNames...)
	subjects = append(subjects, c.EmailAddresses...)
	for _, u := range c.URIs {
		subjects = append(subjects, u.String())
	}
	for _, ip := range c.IPAddresses {
		subjects = append(subjects, ip.String())
	}
	for _, rule := range s.Certificates {
		for _, subject := range subjects {
			name := cmp.Or(rule.Name, subject)
			if subject != "" && matches([]string{rule.Subject}, subject) && checkName(name) == nil {
				return s.identity(name), true
			}
		}
	}
	return Identity{}, false
}

// remembers reports whether m was verified, ever since the files were read, and of late.
func (s *state) remembers(m mac) (ever, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ever := s.verified[m]
	return ever, ever && time.Since(at) < freshTime
}

// remember notes that m is verified. When there are too many all are forgotten: those
// that come back are verified again.
func (s *state) remember(m mac) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.verified) >= maxVerified {
		clear(s.verified)
	}
	s.verified[m] = time.Now()
}
