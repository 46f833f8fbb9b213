package access

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"chartserve/internal/reload"
)

// The reasons why a login is refused. ErrSlowDown is about how many try; the others
// are about who tries.
var (
	ErrHeader      = errors.New("the Authorization header can't be read")
	ErrCredentials = errors.New("unknown name, wrong password or wrong token")
	ErrExpired     = errors.New("the token has expired")
	ErrSlowDown    = errors.New("too many logins that fail")
)

// Options say where the rules are. The zero value names none: nobody has to log in.
type Options struct {
	// File is the access file. The other fields are short forms, in its place.
	File string
	// Htpasswd is a file of users who may do everything, TokenFile one of tokens.
	Htpasswd, TokenFile string
	// User may do everything with Password.
	User, Password string
	// Certificates lets who has a client certificate do everything.
	Certificates bool
	// AnonymousRead lets who does not log in read; without it nobody may.
	AnonymousRead bool
}

// Enabled reports whether o names a way to log in.
func (o *Options) Enabled() bool {
	return o.File+o.Htpasswd+o.TokenFile+o.User != "" || o.Certificates
}

// short is the document that the short forms stand for.
func (o *Options) short() *document {
	d := &document{AnonymousRead: o.AnonymousRead, Grants: []*grant{{Names: []string{"*"}, Rights: allRights()}}}
	if o.Htpasswd != "" {
		d.Htpasswd = []string{o.Htpasswd}
	}
	if o.TokenFile != "" {
		d.TokenFiles = []string{o.TokenFile}
	}
	if o.Certificates {
		d.Certificates = []certificate{{Subject: "*"}}
	}
	return d
}

// Guard knows who may do what. All methods may be called at once.
type Guard struct {
	opts  Options
	state atomic.Pointer[state]

	mu      sync.Mutex // held by Reload
	files   reload.Files
	problem atomic.Pointer[error]

	names, addresses *throttle
	flights          singleflight.Group
	busy             chan struct{} // a place for each password that is verified at once
}

// New reads the rules. An error names the file and the line or field.
func New(o Options) (*Guard, error) {
	g := &Guard{
		opts: o, names: newThrottle(), addresses: newThrottle(),
		busy: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	return g, g.Reload()
}

// Reload reads the files again. When that fails the rules stay as they were.
func (g *Guard) Reload() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.files.Begin()
	s, err := load(&g.opts, &g.files)
	g.problem.Store(&err)
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	g.state.Store(s)
	return nil
}

// Source has the rules follow their files.
func (g *Guard) Source() reload.Source {
	return reload.Source{
		Files: &g.files, Load: g.Reload,
		Done: "access rules read again", Kept: "access rules can't be read; those from before stay in force",
	}
}

// Problem is why the files, as they are, can't be used; nil: they are.
func (g *Guard) Problem() error { return *g.problem.Load() }

// ReadsNeedLogin reports whether who does not log in may read nothing.
func (g *Guard) ReadsNeedLogin() bool { return !g.state.Load().AnonymousRead }

// Identify returns who a request is from, by the values of its Authorization header, or
// else by the client certificate of its connection, which is nil without TLS. address is
// the client's, with a port or without. The error is ErrHeader, ErrCredentials,
// ErrExpired, ErrSlowDown or ctx's; the Identity has a name then if it is one that the
// rules know, and no rights.
//
// It takes microseconds, but for a password that was not verified of late. That may wait
// up to some seconds where others failed before.
func (g *Guard) Identify(ctx context.Context, authorization []string, conn *tls.ConnectionState, address string) (Identity, error) {
	s := g.state.Load()
	kind, user, secret, err := parseAuthorization(authorization)
	switch {
	case err != nil:
		return Identity{}, err
	case kind == "":
		if conn != nil && len(conn.VerifiedChains) > 0 {
			if id, ok := s.holder(conn.VerifiedChains[0][0]); ok {
				return id, nil
			}
		}
		return s.anonymous(), nil
	}
	if t := s.token(secret); t != nil && (kind == "bearer" || t.Name == user) {
		id := Identity{Name: t.Name}
		if !t.Expires.IsZero() && !time.Now().Before(t.Expires) {
			return id, ErrExpired
		}
		id.grants = append(s.anonymous().grants, t.grant())
		return id, nil
	}
	return g.password(ctx, s, kind, user, secret, address)
}

// password verifies a password, or slows down who has only a wrong token. Requests at
// once with the same password are one check.
func (g *Guard) password(ctx context.Context, s *state, kind, user, password, address string) (Identity, error) {
	m := s.mac([]byte(kind), []byte(user), []byte(password))
	known, fresh := s.remembers(m)
	if fresh {
		return s.identity(user), nil
	}
	done := g.flights.DoChan(string(m[:]), func() (any, error) {
		if known {
			return nil, g.verify(s, kind, user, password, m)
		}
		// Others may wait for the same answer, so that it doesn't end with this request.
		return nil, g.slowly(context.WithoutCancel(ctx), user, address, func() error { return g.verify(s, kind, user, password, m) })
	})
	select {
	case r := <-done:
		if r.Err == nil {
			return s.identity(user), nil
		}
		id := Identity{}
		if _, ok := s.users[user]; ok || s.names[user] {
			id.Name = user
		}
		return id, r.Err
	case <-ctx.Done():
		return Identity{}, ctx.Err()
	}
}

// verify checks a password. An unknown user costs as much as one that is there.
func (g *Guard) verify(s *state, kind, user, password string, m mac) error {
	v, ok := s.users[user]
	if !ok {
		v = s.decoy
	}
	if v.check == nil || kind != "basic" || len(password) > maxPassword || !v.check(password) || !ok {
		return ErrCredentials
	}
	s.remember(m)
	return nil
}

// slowly calls verify once it is the turn of this name and address, and notes a failure.
// It looks at their failures only once there is a place to verify, because those that
// came at the same time may have failed by then.
func (g *Guard) slowly(ctx context.Context, user, address string, verify func() error) error {
	name, from := g.names.slot(user), g.addresses.slot(network(address))
	defer from.waiting.Add(-1)
	waiting := from.waiting.Add(1)
	for waited := false; ; waited = true {
		g.busy <- struct{}{}
		d := max(name.delay(), from.delay())
		if d == 0 || waited {
			break
		}
		<-g.busy
		if waiting > maxWaiting {
			return ErrSlowDown
		}
		if err := pause(ctx, d); err != nil {
			return err
		}
	}
	defer func() { <-g.busy }()
	err := verify()
	if err != nil {
		name.failed()
		from.failed()
	}
	return err
}

// parseAuthorization reads the header: kind is "basic", "bearer", or empty for none. An
// empty user with an empty password is none too: skopeo sends that when it has none.
func parseAuthorization(values []string) (kind, user, secret string, err error) {
	if len(values) == 0 {
		return "", "", "", nil
	}
	scheme, rest, ok := strings.Cut(values[0], " ")
	rest = strings.TrimSpace(rest)
	if len(values) > 1 || !ok {
		return "", "", "", ErrHeader
	}
	switch {
	case strings.EqualFold(scheme, "bearer") && rest != "":
		return "bearer", "", rest, nil
	case strings.EqualFold(scheme, "basic"):
		text, err := base64.StdEncoding.DecodeString(rest)
		user, secret, ok := strings.Cut(string(text), ":")
		if err != nil || !ok {
			return "", "", "", ErrHeader
		}
		if user+secret == "" {
			return "", "", "", nil
		}
		return "basic", user, secret, nil
	}
	return "", "", "", ErrHeader
}
