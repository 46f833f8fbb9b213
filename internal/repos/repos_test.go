package repos

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start opens and runs a set until the test ends, or stop is called.
func start(t *testing.T, dir string, o Options) (s *Set, stop func()) {
	t.Helper()
	if o.Repository == nil {
		o.Repository = func(string) repo.Options { return repo.Options{} }
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	<-s.Ready()
	return s, stop
}

func archive(t *testing.T, name string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	text := "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
	err := tw.WriteHeader(&tar.Header{Name: name + "/Chart.yaml", Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(text))})
	_, werr := tw.Write([]byte(text))
	if err := errors.Join(err, werr, tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// upload is the first upload to a repository that is not there.
func upload(t *testing.T, s *Set, name, chart string) error {
	t.Helper()
	u := s.Unmade(name)
	if u == nil {
		return errors.New("no such repository can be made")
	}
	_, err := u.Publish(t.Context(), bytes.NewReader(archive(t, chart)), repo.PublishOptions{})
	return err
}

// charts are the names of the charts by repository.
func charts(s *Set) string {
	all := []string{}
	for _, name := range append([]string{""}, s.Names()...) {
		r := s.Root()
		if name != "" {
			r = s.Named(name)
		}
		var names []string
		for c := range r.View().Charts() {
			names = append(names, c.Name)
		}
		all = append(all, fmt.Sprintf("%s:%s", name, strings.Join(names, "+")))
	}
	return strings.Join(all, " ")
}

func TestUploadsMakeRepositories(t *testing.T) {
	for depth, name := range map[int]string{1: "team", 2: "org/team"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Depth: depth, Make: true, Names: []string{"x/y/z"}}
			s, stop := start(t, dir, o)
			if got := s.Unmade(name).View(); got.Index == nil || got.Index.Versions != 0 {
				t.Errorf("one that is not there is not empty: %v", got.Index)
			}
			if err := upload(t, s, name, "nova"); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "heat-1.0.0.tgz"), archive(t, "heat"), 0o644); err != nil {
				t.Fatal(err)
			}
			stop()
			want := ":heat " + name + ":nova x/y/z:"
			s, _ = start(t, dir, o)
			if got := charts(s); got != want {
				t.Errorf("after a restart: %s, want %s", got, want)
			}
			for _, bad := range []string{"", "..", "../x", "a/b/c", "x", "x/y", "x/y/z/a", name, name + "/x", "api", "a/api", "charts", "a/..", "./a", "a/./b", "a//b", "/a", "a/", `a\b`, "a\x00", ".a/b", "x.tgz", "%2e%2e", "helm.yaml/x"} {
				if s.Unmade(bad) != nil {
					t.Errorf("%q can be made", bad)
				}
			}
		})
	}
}

// What is refused makes no folder.
func TestRefusedUploadsMakeNothing(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir, Options{Depth: 1, Make: true, Max: 1})
	denied := errors.New("denied")
	u := s.Unmade("team")
	_, err := u.Publish(t.Context(), strings.NewReader("no archive"), repo.PublishOptions{})
	_, derr := u.Publish(t.Context(), bytes.NewReader(archive(t, "nova")), repo.PublishOptions{Check: func(*chart.Metadata) error { return denied }})
	_, perr := u.PublishProvenance(t.Context(), nil, repo.PublishOptions{})
	if err == nil || !errors.Is(derr, denied) || !errors.Is(perr, repo.ErrNoVersion) || !errors.Is(u.Remove(t.Context(), "nova", "1.0.0"), repo.ErrNoVersion) {
		t.Errorf("got %v, %v, %v", err, derr, perr)
	}
	if err := upload(t, s, "one", "nova"); err != nil {
		t.Fatal(err)
	}
	if err := upload(t, s, "two", "nova"); !errors.Is(err, repo.ErrFull) {
		t.Errorf("got %v", err)
	}
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); strings.Contains(got, "team") || strings.Contains(got, "two") || strings.Contains(got, ".tmp") {
		t.Errorf("there is %s", got)
	}
}

// A repository is made neither for an archive that nobody vouches for, nor for one with
// another's provenance, nor for want of room.
func TestNothingIsMadeForWhatIsRefusedLater(t *testing.T) {
	full := &fs.PathError{Op: "write", Err: syscall.ENOSPC}
	unsigned := errors.New("unsigned")
	for name, c := range map[string]struct {
		trust repo.Trust
		prov  string
		want  func(error) bool
	}{
		"unsigned":   {untrusting{unsigned}, "", func(err error) bool { return errors.Is(err, unsigned) }},
		"provenance": {nil, "no provenance", func(err error) bool { return errors.Is(err, provenance.ErrForm) }},
	} {
		dir := t.TempDir()
		s, _ := start(t, dir, Options{Depth: 1, Make: true, Repository: func(string) repo.Options { return repo.Options{Trust: c.trust} }})
		o := repo.PublishOptions{}
		if c.prov != "" {
			o.Provenance = func() ([]byte, error) { return []byte(c.prov), nil }
		}
		if _, err := s.Unmade("team").Publish(t.Context(), bytes.NewReader(archive(t, "nova")), o); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
		denied := errors.New("denied")
		o.Check = func(*chart.Metadata) error { return denied }
		if _, err := s.Unmade("team").Publish(t.Context(), bytes.NewReader(archive(t, "nova")), o); !errors.Is(err, denied) {
			t.Errorf("%s, from who may not: got %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "team")); err == nil || s.Named("team") != nil {
			t.Errorf("%s: a repository was made", name)
		}
		bad := new(chart.Error)
		if _, err := s.Unmade("team").check(bytes.NewReader(archive(t, "nova")), failing{full}, o); !errors.Is(err, syscall.ENOSPC) || errors.As(err, &bad) {
			t.Errorf("%s, full disk: got %v", name, err)
		}
	}
}

type untrusting struct{ err error }

func (u untrusting) Vouch([]byte, string, string) error { return u.err }
func (untrusting) ID() string                           { return "" }

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The first push makes a repository, and a look at what was pushed does not.
func TestPushesMakeRepositories(t *testing.T) {
	s, _ := start(t, t.TempDir(), Options{Depth: 1, Make: true, Max: 1})
	if l, err := s.Unmade("team").Content(false); l != nil || !errors.Is(err, fs.ErrNotExist) || s.Named("team") != nil {
		t.Errorf("got %v, %v", l, err)
	}
	l, err := s.Unmade("team").Content(true)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := s.Named("team").Content(false); same != l || err != nil {
		t.Errorf("got %v, %v", same, err)
	}
	if _, err := s.Unmade("other").Content(true); !errors.Is(err, repo.ErrFull) {
		t.Errorf("got %v", err)
	}
}

// Twenty first uploads to one name make one repository, which has them all.
func TestFirstUploadsAtOnce(t *testing.T) {
	s, _ := start(t, t.TempDir(), Options{Depth: 1, Make: true})
	var all sync.WaitGroup
	var want []string
	for i := range 20 {
		name := fmt.Sprintf("c%02d", i)
		want = append(want, name)
		u := s.Unmade("team")
		all.Go(func() {
			if _, err := u.Publish(t.Context(), bytes.NewReader(archive(t, name)), repo.PublishOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := charts(s); got != ": team:"+strings.Join(want, "+") {
		t.Errorf("got %s", got)
	}
}

// A process that was killed between the making of a folder and the first upload leaves an
// empty repository, which takes it; what was on the way to a folder is nothing.
func TestFoldersOfAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "org/team"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, dir, Options{Depth: 2, Make: true})
	if got := charts(s); got != ": org/team:" {
		t.Errorf("got %s", got)
	}
	if _, err := s.Named("org/team").Publish(t.Context(), bytes.NewReader(archive(t, "nova")), repo.PublishOptions{}); err != nil {
		t.Error(err)
	}
	if err := upload(t, s, "half/x", "nova"); err != nil {
		t.Error(err)
	}
}

// Folders that are put there are found when everything is looked at again.
func TestRescanFindsFolders(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir, Options{Depth: 1})
	if err := os.Mkdir(filepath.Join(dir, "team"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "team", "nova-1.0.0.tgz"), archive(t, "nova"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s.Unmade("team") != nil {
		t.Error("it can be made without uploads")
	}
	s.Rescan()
	if got := charts(s); got != ": team:nova" {
		t.Errorf("got %s", got)
	}
}

// Links lead nowhere, and files are in the way.
func TestLinksAreNoRepositories(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, err := range []error{os.Symlink(outside, filepath.Join(dir, "link")), os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, _ := start(t, dir, Options{Depth: 1, Make: true})
	for _, name := range []string{"link", "file"} {
		if err := upload(t, s, name, "nova"); err == nil {
			t.Errorf("%s takes uploads", name)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("there is %v outside", left)
	}
}

func TestOneInAnother(t *testing.T) {
	if err := (&Options{Names: []string{"a", "a/b"}}).Check(); err == nil {
		t.Error("it is no error")
	}
}

// When one can't be opened at the start, none is, and their folders are free again.
func TestOneThatCanNotBeOpened(t *testing.T) {
	dir := t.TempDir()
	o := Options{Names: []string{"good", "bad"}, Repository: func(name string) repo.Options {
		if name == "bad" {
			return repo.Options{Sources: []string{filepath.Join(dir, "missing")}}
		}
		return repo.Options{}
	}}
	for range 2 {
		if s, err := Open(dir, o); s != nil || err == nil || !strings.Contains(err.Error(), `repository "bad": `) {
			t.Errorf("got %v, %v", s, err)
		}
	}
}

// One that can't be opened leaves the others as they are, and can be made later.
func TestOneThatIsLocked(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir, Options{Depth: 1, Make: true})
	holder, err := repo.Open(filepath.Join(dir, "team"), repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := upload(t, s, "team", "nova"); err == nil || !strings.Contains(err.Error(), `repository "team"`) {
		t.Errorf("got %v", err)
	}
	if err := upload(t, s, "other", "nova"); err != nil {
		t.Error(err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := upload(t, s, "team", "heat"); err != nil {
		t.Error(err)
	}
	if got := charts(s); got != ": other:nova team:heat" {
		t.Errorf("got %s", got)
	}
}

// The root repository does not take in a folder that is put there while it is served.
func TestRootPassesOverWhatComes(t *testing.T) {
	dir, beside := t.TempDir(), t.TempDir()
	s, _ := start(t, dir, Options{Depth: 1})
	put := func(dir, name string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+"-1.0.0.tgz"), archive(t, name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(beside, "team"), "nova")
	if err := os.Rename(filepath.Join(beside, "team"), filepath.Join(dir, "team")); err != nil {
		t.Fatal(err)
	}
	put(dir, "heat")
	for end := time.Now().Add(20 * time.Second); !strings.Contains(charts(s), "heat"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %s", charts(s))
		}
	}
	if got := charts(s); got != ":heat" {
		t.Errorf("got %s", got)
	}
}

// What happens to the folder of one while it is served is its own trouble.
func TestTroubleOfOne(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir, Options{Names: []string{"bad", "good"}})
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "bad")), os.WriteFile(filepath.Join(dir, "bad"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := s.Named("bad").Publish(ctx, bytes.NewReader(archive(t, "nova")), repo.PublishOptions{}); err == nil {
		t.Error("a folder that is none takes uploads")
	}
	for _, r := range []*repo.Repository{s.Root(), s.Named("good")} {
		if _, err := r.Publish(t.Context(), bytes.NewReader(archive(t, "nova")), repo.PublishOptions{}); err != nil {
			t.Error(err)
		}
	}
	if got := charts(s); got != ":nova bad: good:nova" {
		t.Errorf("got %s", got)
	}
}

// The root repository has what is in no other's folder, before and after an event there.
func TestRootPassesOver(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"top", "team/nova", "team/sub/deep", "own/heat"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-1.0.0.tgz"), archive(t, filepath.Base(name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for want, o := range map[string]Options{
		":heat+top team:deep+nova":     {Names: []string{"team"}},
		":top own:heat team:deep+nova": {Depth: 1},
		":deep+heat+nova+top":          {},
	} {
		s, stop := start(t, dir, o)
		if err := os.Chtimes(filepath.Join(dir, "team"), time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := charts(s); got != want {
			t.Errorf("%v, depth %d: got %s, want %s", o.Names, o.Depth, got, want)
		}
		stop()
	}
}

// Each name that CheckName lets through is a path below a folder, and a part of a URL that
// stays what it is.
func FuzzCheckName(f *testing.F) {
	for _, name := range []string{"team", "org/repo", "..", "a/../b", "2024.1", "A-b_c", "x.tgz", "a%2fb", "é", "con", strings.Repeat("a/", 9) + "a"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name, "helm") != nil {
			return
		}
		if !filepath.IsLocal(name) || filepath.Clean(name) != name || strings.ContainsAny(name, "%?#\\ :@\x00") {
			t.Errorf("%q is a name", name)
		}
		for _, segment := range strings.Split(name, "/") {
			if segment[0] == '.' || slices.Contains([]string{"api", "charts", "helm", "by-digest", "index.yaml"}, strings.ToLower(segment)) {
				t.Errorf("%q is a name", name)
			}
		}
	})
}
