package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAuthorization(t *testing.T) {
	for name, c := range map[string]struct {
		values             []string
		kind, user, secret string
		err                error
	}{
		"none":             {},
		"empty basic":      {values: []string{"Basic Og=="}},
		"basic":            {values: basic("ann", "a:b"), kind: "basic", user: "ann", secret: "a:b"},
		"only a user":      {values: basic("ann", ""), kind: "basic", user: "ann"},
		"any case":         {values: []string{"bASIC  YTpi "}, kind: "basic", user: "a", secret: "b"},
		"bearer":           {values: []string{"Bearer x.y"}, kind: "bearer", secret: "x.y"},
		"empty":            {values: []string{""}, err: ErrHeader},
		"no scheme":        {values: []string{"YTpi"}, err: ErrHeader},
		"no base64":        {values: []string{"Basic a:b"}, err: ErrHeader},
		"no colon":         {values: []string{"Basic YWI="}, err: ErrHeader},
		"no token":         {values: []string{"Bearer "}, err: ErrHeader},
		"other scheme":     {values: []string{"Digest username=a"}, err: ErrHeader},
		"two headers":      {values: append(basic("a", "b"), basic("a", "c")...), err: ErrHeader},
		"nothing, and one": {values: []string{"Basic Og==", "Basic YTpi"}, err: ErrHeader},
	} {
		kind, user, secret, err := parseAuthorization(c.values)
		if kind != c.kind || user != c.user || secret != c.secret || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q %q %q %v", name, kind, user, secret, err)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	g := newGuard(f, Options{User: "ann", Password: password, AnonymousRead: true})
	f.Add("Basic Og==")
	f.Add(basic("ann", password)[0])
	f.Add("Bearer x")
	f.Fuzz(func(t *testing.T, value string) {
		kind, user, secret, err := parseAuthorization([]string{value})
		if err != nil && kind+user+secret != "" {
			t.Errorf("%q: %q %q %q with %v", value, kind, user, secret, err)
		}
		if err == nil && kind != "" && (kind != "basic" || user+secret != "ann"+password) {
			s := g.state.Load()
			if s.token(secret) != nil || g.verify(s, kind, user, secret, mac{}) == nil {
				t.Errorf("%q logs in", value)
			}
		}
	})
}

// Who may not log in gets the reason, and a name only if it is one that is known: it may
// be a password.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	g := newGuard(t, Options{
		Htpasswd:  write(t, dir, "users", "ann:"+bySHA1),
		TokenFile: write(t, dir, "tokens", "old "+hashed+" rights=read expires=2020-01-01"),
	})
	for name, c := range map[string]struct {
		values []string
		named  string
		err    error
	}{
		"wrong password":  {basic("ann", "x"), "ann", ErrCredentials},
		"long password":   {basic("ann", strings.Repeat("x", 10_000)), "ann", ErrCredentials},
		"unknown user":    {basic("s3cret", "x"), "", ErrCredentials},
		"wrong token":     {[]string{"Bearer x"}, "", ErrCredentials},
		"password":        {[]string{"Bearer " + password}, "", ErrCredentials},
		"other's token":   {basic("ann", "token"), "ann", ErrCredentials},
		"expired":         {[]string{"Bearer token"}, "old", ErrExpired},
		"expired, basic":  {basic("old", "token"), "old", ErrExpired},
		"wrong, by name":  {basic("old", "x"), "old", ErrCredentials},
		"not understood":  {[]string{"x"}, "", ErrHeader},
		"name with colon": {basic("", "ann:"+password), "", ErrCredentials},
	} {
		id, err := g.Identify(t.Context(), c.values, nil, fmt.Sprint("192.0.2.1:", len(name)))
		if id.Name != c.named || !errors.Is(err, c.err) || id.MaySome(Read, "") {
			t.Errorf("%s: got %+v, %v, want %q, %v", name, id, err, c.named, c.err)
		}
	}
	id, err := g.Identify(t.Context(), nil, nil, "")
	if err != nil || id.MaySome(Read, "") || !g.ReadsNeedLogin() {
		t.Errorf("nobody may read: %v", err)
	}
}

// counting has a Guard count the checks of passwords.
func counting(g *Guard) *atomic.Int64 {
	n := new(atomic.Int64)
	s := g.state.Load()
	count := func(v verifier) verifier {
		return verifier{cost: v.cost, check: func(p string) bool { n.Add(1); return v.check(p) }}
	}
	for name, v := range s.users {
		s.users[name] = count(v)
	}
	s.decoy = count(s.decoy)
	return n
}

// A password is verified once in five minutes, and once for all who come at once; an
// unknown user costs a check like any other.
func TestVerifiedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, Options{User: "ann", Password: password})
		checks := counting(g)
		login := func(user, password string) error {
			_, err := g.Identify(t.Context(), basic(user, password), nil, "192.0.2.1:1")
			return err
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := login("ann", password); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := login("ann", password); err != nil || checks.Load() != 1 {
			t.Errorf("got %d checks, %v, want 1", checks.Load(), err)
		}
		time.Sleep(freshTime)
		if err := login("ann", password); err != nil || checks.Load() != 2 {
			t.Errorf("later: got %d checks, %v, want 2", checks.Load(), err)
		}
		for user, want := range map[string]error{"ann": ErrCredentials, "eve": ErrCredentials} {
			before := checks.Load()
			if err := login(user, "x"); !errors.Is(err, want) || checks.Load() != before+1 {
				t.Errorf("%s: got %d checks, %v, want one", user, checks.Load()-before, err)
			}
		}
	})
}

func TestVerifiedIsBounded(t *testing.T) {
	s := newGuard(t, Options{User: "ann", Password: password}).state.Load()
	for i := range 3 * maxVerified {
		s.remember(s.mac([]byte(fmt.Sprint(i))))
	}
	if n := len(s.verified); n > maxVerified {
		t.Errorf("%d are remembered", n)
	}
}

// Failures slow down who fails, by name and by address; nobody is locked out, and who
// logged in before does not wait.
func TestFailuresAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newGuard(t, Options{Htpasswd: write(t, dir, "users", "ann:"+bySHA1+"\nbob:"+bySHA1+"\ncid:"+bySHA1)})
		took := func(user, password, address string) (time.Duration, error) {
			start := time.Now()
			_, err := g.Identify(t.Context(), basic(user, password), nil, address)
			return time.Since(start), err
		}
		if d, err := took("bob", password, "192.0.2.1:1"); d != 0 || err != nil {
			t.Fatalf("bob at first: %s, %v", d, err)
		}
		time.Sleep(freshTime)
		var all time.Duration
		for i := range 100 {
			d, err := took("ann", fmt.Sprint("x", i), fmt.Sprint("192.0.2.1:", i))
			if all += d; !errors.Is(err, ErrCredentials) || d > maxDelay || i < freeFailures && d > 0 {
				t.Errorf("try %d: %s, %v", i, d, err)
			}
		}
		if all < 80*time.Second {
			t.Errorf("100 tries took %s", all)
		}
		for i := range 20 { // tries at once, until all of it is as slow as it gets
			go func() { _, _ = took("ann", fmt.Sprint("y", i), "192.0.2.1:1") }()
		}
		synctest.Wait()
		if d, err := took("bob", password, "192.0.2.1:2"); d != 0 || err != nil {
			t.Errorf("bob, who was there before, from the same address: %s, %v", d, err)
		}
		if d, err := took("cid", password, "198.51.100.1:2"); d != 0 || err != nil {
			t.Errorf("another name from another address: %s, %v", d, err)
		}
		if d, err := took("ann", password, "198.51.100.1:3"); d == 0 || d > maxDelay || err != nil {
			t.Errorf("ann herself, from another address: %s, %v", d, err)
		}
		time.Sleep(time.Minute)
		if d, err := took("ann", "x", "192.0.2.1:1"); d != 0 || !errors.Is(err, ErrCredentials) {
			t.Errorf("a minute later: %s, %v", d, err)
		}
	})
}

// However often others fail, it is forgotten soon.
func TestDebtIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newThrottle().slot("ann")
		for range 1000 {
			s.failed()
		}
		if d := s.delay(); d < maxDelay-time.Second || d > maxDelay {
			t.Errorf("got %s, want %s", d, maxDelay)
		}
		time.Sleep(maxDelay + time.Second)
		if d := s.delay(); d != 0 {
			t.Errorf("later: got %s", d)
		}
	})
}

// Many at once do not get around it: those beyond a few are refused at once, and the
// others wait.
func TestTriesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, Options{User: "ann", Password: password})
		checks := counting(g)
		var slowed atomic.Int64
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				_, err := g.Identify(t.Context(), basic(fmt.Sprint("user", i), "x"), nil, "[2001:db8::"+fmt.Sprint(i)+"]:1")
				if errors.Is(err, ErrSlowDown) {
					slowed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := checks.Load(); n < freeFailures || n > freeFailures+2*maxWaiting {
			t.Errorf("%d of 1000 tries were checked", n)
		}
		if n := slowed.Load(); n < 900 {
			t.Errorf("%d of 1000 were refused at once", n)
		}
	})
}

func TestIdentifyEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, Options{User: "ann", Password: password})
		for range freeFailures + 3 {
			g.addresses.slot(network("192.0.2.1")).failed()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Identify(ctx, basic("ann", "x"), nil, "192.0.2.1:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(maxDelay) // the check that nobody waits for ends too
	})
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"[2001:db8::1]:80": "2001:db8::/64", "2001:db8::2%eth0": "2001:db8::/64", "@": "invalid IP",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	dir := b.TempDir()
	g := newGuard(b, Options{Htpasswd: write(b, dir, "users", "ann:"+byBcrypt), TokenFile: write(b, dir, "tokens", "ci "+hashed+" rights=read")})
	for name, values := range map[string][]string{"nobody": nil, "password": basic("ann", password), "token": {"Bearer token"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Identify(b.Context(), values, nil, "192.0.2.1:1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("check", func(b *testing.B) {
		v := g.state.Load().users["ann"]
		for b.Loop() {
			v.check(password)
		}
	})
}
