package repo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"
)

// remote is a repository elsewhere that counts what is asked of it.
type remote struct {
	t     testing.TB
	mu    sync.Mutex
	asked []string // in no order, where several downloads run
	err   error
	send  func(name string, c *semver.Constraints) []byte
}

func newRemote(t testing.TB, versions ...string) *remote {
	archives := map[string][]byte{}
	for _, v := range versions {
		archives[v] = archiveOf(t, "kit", v)
	}
	return &remote{t: t, send: func(_ string, c *semver.Constraints) []byte {
		for _, v := range versions {
			if parsed := semver.MustParse(v); c.Check(parsed) {
				return archives[v]
			}
		}
		return nil
	}}
}

func (m *remote) fetch(repository, name string, c *semver.Constraints) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, repository+" "+name+" "+c.String())
	if m.err != nil {
		return nil, m.err
	}
	data := m.send(name, c)
	if data == nil {
		return nil, errors.New("no such version")
	}
	return data, nil
}

// A download that is there, and can't be looked at for want of descriptors, is not
// downloaded again: upstream may be out of reach by then.
func TestShortOfDescriptorsForADownload(t *testing.T) {
	for _, failing := range []string{"list", "stat", "open"} {
		f := newFixture(t)
		m := newRemote(t, "1.2.0")
		f.opts.Fetcher = fetcherFunc(m.fetch)
		f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
		f.build()
		m.err = errors.New("out of reach")
		hit := false
		f.fail(func(op, name string) error {
			if op == failing && strings.HasPrefix(name, fetchedName) {
				hit = true
				return syscall.EMFILE
			}
			return nil
		})
		r, err := Open(f.repo, f.opts)
		must(t, err)
		if err := r.Build(t.Context()); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("%s: %v", failing, err)
		}
		f.fail(nil)
		must(t, r.Build(t.Context()))
		if got := reasons(r.Status()); got != "" || len(m.asked) != 1 || !hit {
			t.Errorf("%s: failed %v, asked %d times, failures %q", failing, hit, len(m.asked), got)
		}
		must(t, r.Close())
	}
}

const elsewhere = "https://user:secret@charts.example.com/x"

// A dependency is downloaded once, kept over restarts, and not tried again at
// once when that failed.
func TestFetchedDependencies(t *testing.T) {
	now := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
	var log strings.Builder
	f := newFixture(t)
	f.opts.Now = func() time.Time { return now }
	f.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	m := newRemote(t, "1.2.0", "1.1.0")
	f.opts.Fetcher = fetcherFunc(m.fetch)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere), chartFiles("two", "two", "1.0.0", "kit ^1 "+elsewhere))
	for range 2 {
		if got := reasons(f.build()); got != "" {
			t.Fatal(got)
		}
		wantNames(t, m.asked, elsewhere+" kit ^1")
	}
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.2.0")
	wantNames(t, f.members("two-1.0.0.tgz"), "kit-1.2.0")
	wantNames(t, f.names(), "app-1.0.0", "two-1.0.0") // what is downloaded is not published
	if strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "repository=https://charts.example.com/x") {
		t.Errorf("the log has the password, or no address:\n%s", &log)
	}
	// An older one is downloaded beside it.
	f.add(chartFiles("old", "old", "1.0.0", "kit 1.1.0 "+elsewhere))
	if got := reasons(f.build()); got != "" {
		t.Fatal(got)
	}
	wantNames(t, m.asked, elsewhere+" kit ^1", elsewhere+" kit 1.1.0")
	wantNames(t, f.members("old-1.0.0.tgz"), "kit-1.1.0")
	// Another repository is another cache; another name is another chart.
	f.add(chartFiles("there", "there", "1.0.0", "kit ^1 http://other.example.com"), chartFiles("else", "else", "1.0.0", "tool ^1 "+elsewhere))
	st := f.build()
	if got := reasons(st); !strings.Contains(got, "the repository sent kit version 1.2.0") || len(st.Failures) != 1 || len(m.asked) != 4 {
		t.Errorf("reasons %q, asked for %v", got, m.asked)
	}
}

func TestFailedFetchRests(t *testing.T) {
	now := time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
	f := newFixture(t)
	f.opts.Now = func() time.Time { return now }
	m := newRemote(t, "1.2.0")
	m.err = errors.New("the network is away")
	f.opts.Fetcher = fetcherFunc(m.fetch)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere), chartFiles("two", "two", "1.0.0", "kit ^1 "+elsewhere), chartFiles("six", "six", "1.0.0", "kit ^1.0 "+elsewhere))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	for after, want := range []int{2, 2, 4} { // two constraints, tried at once, not so soon again, and after a rest
		must(t, r.Build(t.Context()))
		if got := reasons(r.Status()); strings.Count(got, "the network is away") != 3 || strings.Contains(got, "secret") || len(m.asked) != want {
			t.Errorf("after %d rests of 20 s: reasons %s, asked %d times, want %d", after, got, len(m.asked), want)
		}
		now = now.Add(20 * time.Second)
	}
	now, m.err = now.Add(2*fetchRest), nil
	must(t, r.Build(t.Context()))
	if got := reasons(r.Status()); got != "" {
		t.Error(got)
	}
}

// What is sent must be what was asked for, and a chart at all.
func TestFetchedIsChecked(t *testing.T) {
	cases := map[string]struct {
		data []byte
		want string
	}{
		"no chart":        {[]byte("<html>"), "no good chart"},
		"another name":    {archiveOf(t, "tool", "1.0.0"), "the repository sent tool version 1.0.0"},
		"another version": {archiveOf(t, "kit", "2.0.0"), "the repository sent kit version 2.0.0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.opts.Fetcher = fetcherFunc(func(string, string, *semver.Constraints) ([]byte, error) { return c.data, nil })
			f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
			for range 2 {
				if got := reasons(f.build()); !strings.Contains(got, c.want) {
					t.Errorf("reasons %q, want %q", got, c.want)
				}
			}
		})
	}
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
	if got := reasons(f.build()); !strings.Contains(got, "--fetch-dependencies") || strings.Contains(got, "secret") {
		t.Errorf("without a Fetcher: %q", got)
	}
}

// The version that a lock in sync names is asked for, where it fits.
func TestFetchTakesTheLockedVersion(t *testing.T) {
	m := newRemote(t, "1.2.0", "1.1.0")
	f := newFixture(t)
	f.opts.Fetcher = fetcherFunc(m.fetch)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere), lockFile(t, "app", "^1", elsewhere, "1.1.0"))
	if st := f.build(); len(st.Failures)+len(st.Warnings) > 0 {
		t.Fatalf("%+v", st)
	}
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.1.0")
	wantNames(t, m.asked, elsewhere+" kit 1.1.0")
	const other = "http://other.example.com" // a lock that contradicts its chart
	f.add(chartFiles("bad", "bad", "1.0.0", "kit ^1 "+other), lockFile(t, "bad", "^1", other, "0.9.0"))
	f.build()
	wantNames(t, m.asked, elsewhere+" kit 1.1.0", other+" kit ^1")
}

// A file in the cache that is damaged is downloaded anew.
func TestDamagedCache(t *testing.T) {
	m := newRemote(t, "1.2.0")
	f := newFixture(t)
	f.opts.Fetcher = fetcherFunc(m.fetch)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
	f.build()
	cached, err := filepath.Glob(filepath.Join(f.repo, fetchedName, "*", "kit-1.2.0.tgz"))
	must(t, err)
	if len(cached) != 1 {
		t.Fatalf("cached: %v", cached)
	}
	must(t, os.WriteFile(cached[0], []byte("half"), 0o644))
	f.add(map[string]string{"app/new": "1"})
	if got := reasons(f.build()); got != "" || len(m.asked) != 2 {
		t.Errorf("reasons %q, asked %s", got, fmt.Sprint(m.asked))
	}
	f.checkWhole()
}

// What a chart is built from does not depend on its neighbours: each range is asked
// for by itself, whatever download would do, and stays what it was the first time.
func TestFetchIsIndependentOfNeighbours(t *testing.T) {
	versions := []string{"1.1.0"}
	var mu sync.Mutex
	asked := 0
	fetch := func(repository, name string, c *semver.Constraints) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return newRemote(t, versions...).fetch(repository, name, c)
	}
	f := newFixture(t)
	f.opts.Fetcher = fetcherFunc(fetch)
	f.add(chartFiles("one", "one", "1.0.0", "kit ~1.1 "+elsewhere))
	f.build()
	versions = []string{"1.2.0", "1.1.0"}                         // published meanwhile
	f.add(chartFiles("two", "two", "1.0.0", "kit ^1 "+elsewhere), // its lock names 1.2.0, though 1.1.0 is there and meets ^1
		lockFile(t, "two", "^1", elsewhere, "1.2.0"), chartFiles("six", "six", "1.0.0", "kit >=1 "+elsewhere))
	if got := reasons(f.build()); got != "" {
		t.Fatal(got)
	}
	for archive, want := range map[string]string{"one-1.0.0.tgz": "kit-1.1.0", "two-1.0.0.tgz": "kit-1.2.0", "six-1.0.0.tgz": "kit-1.2.0"} {
		wantNames(t, f.members(archive), want)
	}
	versions = []string{"1.3.0", "1.2.0", "1.1.0"}
	f.add(map[string]string{"six/new": "1"})
	f.build()
	wantNames(t, f.members("six-1.0.0.tgz"), "kit-1.2.0")
	if asked != 3 {
		t.Errorf("asked %d times, want once for each of three wants", asked)
	}
}

// hanging is a repository that answers nothing until it is let go.
type hanging struct{ let chan struct{} }

func (h hanging) Fetch(ctx context.Context, _, _ string, _ *semver.Constraints) ([]byte, error) {
	select {
	case <-h.let:
		return nil, errors.New("let go")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A repository elsewhere that does not answer delays nothing but the charts that
// need it: neither the first index, nor edits, nor the end.
func TestDeadUpstreamDelaysNothingElse(t *testing.T) {
	f := newFixture(t)
	f.opts.Fetcher = hanging{make(chan struct{})}
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere), chartFiles("b", "b", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	within := func(what string, ok func() bool) {
		t.Helper()
		for range 500 {
			if ok() {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("%s: not within 10 s", what)
	}
	select {
	case <-r.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("not ready within 10 s")
	}
	if st := r.Status(); len(st.Failures) > 0 || len(st.Downloads) != 1 || !st.Downloads[0].Running || strings.Contains(st.Downloads[0].Repository, "secret") {
		t.Errorf("status: %+v", st)
	}
	f.add(chartFiles("b", "b", "1.1.0"))
	within("an edit", func() bool {
		_, ok := r.View().File("b-1.1.0.tgz")
		return ok
	})
	cancel()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("Run did not end")
	}
	must(t, r.Close())
}

// What comes in late is built in without any other change.
func TestDownloadThatComesLate(t *testing.T) {
	f := newFixture(t)
	m, let := newRemote(t, "1.2.0"), make(chan struct{})
	f.opts.Fetcher = fetcherFunc(func(repository, name string, c *semver.Constraints) ([]byte, error) {
		<-let
		return m.fetch(repository, name, c)
	})
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	<-r.Ready()
	if _, ok := r.View().File("app-1.0.0.tgz"); ok {
		t.Error("app is there before its dependency")
	}
	close(let)
	ok := false
	for range 500 {
		if _, ok = r.View().File("app-1.0.0.tgz"); ok {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if st := r.Status(); !ok || len(st.Downloads) > 0 {
		t.Errorf("app is there: %v, status: %+v", ok, st)
	}
	cancel()
	must(t, <-ended)
}

// A download that someone removes from the folder is fetched again; one that nothing
// needs any more is forgotten.
func TestDownloadsThatAreGone(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	m := newRemote(t, "1.0.0")
	f.opts.Fetcher = fetcherFunc(m.fetch)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+elsewhere), chartFiles("bad", "bad", "1.0.0", "kit ^2 "+elsewhere))
	r := f.open()
	if got := r.Status().Downloads; len(got) != 1 || got[0].Version != "^2" {
		t.Fatalf("downloads: %+v", got)
	}
	must(t, os.RemoveAll(filepath.Join(f.repo, fetchedName)))
	f.remove("bad")
	f.add(map[string]string{"app/new": "1"})
	must(t, r.Build(t.Context()))
	if r.phase != settled || len(r.Status().Failures) > 0 {
		t.Errorf("phase %v, failures %v", r.phase, r.Status().Failures)
	}
	if got := r.Status().Downloads; len(got) != 0 || !r.fetcher.next().IsZero() {
		t.Errorf("downloads: %+v", got)
	}
	if files := f.files("app-1.0.0.tgz"); !strings.Contains(files, "new") {
		t.Errorf("app was not made again: %s", files)
	}
}
