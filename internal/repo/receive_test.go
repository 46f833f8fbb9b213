package repo

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/store"
	"chartserve/internal/watch"
)

// delivered is when the archives of deliver were made, as their entries say.
func delivered() time.Time { return time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC) }

// deliver hands the archives of another repository folder over to f's.
func (f *fixture) deliver(from *fixture) {
	f.t.Helper()
	s, err := store.OpenDelivery(f.repo, "test")
	must(f.t, err)
	defer s.Close()
	var entries []*index.Entry
	for name, digest := range from.index() {
		data, err := os.ReadFile(filepath.Join(from.repo, name+".tgz"))
		must(f.t, err)
		file, err := s.Create()
		must(f.t, err)
		_, err = file.File().Write(data)
		must(f.t, err)
		must(f.t, file.Keep(name+".tgz"))
		md := &chart.Metadata{APIVersion: "v2", Name: name[:len(name)-len("-1.0.0")], Version: "1.0.0"}
		e, err := index.NewEntry(md, name+".tgz", digest, delivered())
		must(f.t, err)
		entries = append(entries, e)
	}
	must(f.t, s.Send(entries))
}

// other is another repository with two charts, one of which f has in another form.
func otherRepository(t *testing.T) *fixture {
	o := newFixture(t)
	o.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	o.build()
	return o
}

func (f *fixture) created() map[string]time.Time {
	f.t.Helper()
	file, err := index.Decode(mustRead(f.t, filepath.Join(f.repo, "index.yaml")))
	must(f.t, err)
	out := map[string]time.Time{}
	for _, e := range file.Entries {
		out[e.Name] = e.Created
	}
	return out
}

// A delivery is taken in by one pass: all of it is in one index, with the times
// that it came with, and what it replaced stays under its digest.
func TestReceive(t *testing.T) {
	other := otherRepository(t)
	f := newFixture(t)
	f.opts.Sources, f.opts.KeepReplaced = nil, time.Hour
	mine := newFixture(t)
	mine.add(map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: mine\n"}, chartFiles("c", "c", "1.0.0"))
	mine.build()
	f.deliver(mine)
	f.build()
	replaced := f.index()["a-1.0.0"]

	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	f.deliver(other)
	must(t, r.pass(context.Background(), mail{change: watch.Change{}}))
	want := maps.Clone(mine.index())
	maps.Copy(want, other.index())
	if got := f.index(); !maps.Equal(got, want) {
		t.Errorf("index %v, want %v", got, want)
	}
	f.checkWhole()
	if got := readServed(t, r.View(), "by-digest/"+replaced+"/a-1.0.0.tgz"); got != replaced {
		t.Errorf("the replaced archive: %s", got)
	}
	must(t, r.Close())
	for range 2 { // also after a restart without the state
		for name, at := range f.created() {
			if !at.Equal(delivered()) {
				t.Errorf("%s was created %v, want %v", name, at, delivered())
			}
		}
		must(t, os.Remove(filepath.Join(f.repo, stateName)))
		f.build()
	}
	left, err := filepath.Glob(filepath.Join(f.repo, ".[istd]*ing*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left in the folder: %v", left)
	}
}

// Whoever is killed while a delivery is taken in leaves the rest to the next.
func TestReceiveGoesOn(t *testing.T) {
	other := otherRepository(t)
	f := newFixture(t)
	f.opts.Sources = nil
	f.build()
	f.deliver(other)
	r, err := Open(f.repo, f.opts)
	must(t, err)
	renames := 0
	f.fail(func(op, name string) error {
		if op == "rename" {
			renames++
		}
		if op == "rename" && renames > 1 {
			return syscall.EIO
		}
		return nil
	})
	if err := r.pass(t.Context(), mail{change: watch.Change{Rescan: true}}); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the pass ended with %v", err)
	}
	f.fail(nil)
	must(t, r.Close())
	if left, err := os.ReadDir(filepath.Join(f.repo, ".incoming")); err != nil || len(left) == 0 {
		t.Fatalf("nothing is left to take: %v, %v", left, err)
	}
	f.build()
	wantNames(t, slices.Sorted(maps.Keys(f.index())), "a-1.0.0", "b-1.0.0")
	if at := f.created()["a"]; !at.Equal(delivered()) {
		t.Errorf("created %v, want %v", at, delivered())
	}
}

// A pass that fails before its index is on disk leaves the delivery's times for
// the next.
func TestReceiveThenTrouble(t *testing.T) {
	other := otherRepository(t)
	f := newFixture(t)
	f.opts.Sources = nil
	f.build()
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	indexPath := filepath.Join(f.repo, "index.yaml")
	must(t, os.Remove(indexPath))
	write(t, indexPath, map[string]string{"in/the/way": ""})
	f.deliver(other)
	if err := r.pass(context.Background(), mail{change: watch.Change{Rescan: true}}); err == nil {
		t.Fatal("the index was written over a directory")
	}
	must(t, r.Close())
	must(t, os.RemoveAll(indexPath))
	must(t, os.RemoveAll(filepath.Join(f.repo, stateName)))
	f.build()
	if at := f.created()["b"]; !at.Equal(delivered()) {
		t.Errorf("created %v, want %v", at, delivered())
	}
}

// A running repository notices a delivery by itself.
func TestReceiveLive(t *testing.T) {
	other := otherRepository(t)
	f := newFixture(t)
	f.add(chartFiles("c", "c", "1.0.0"))
	r := f.run()
	f.deliver(other)
	r.untilNames("a-1.0.0", "b-1.0.0", "c-1.0.0")
}

// A folder with the default name that a delivery has made keeps itself out of
// version control all the same; a .gitignore that is there stays.
func TestReceiveInDefaultFolder(t *testing.T) {
	for name, own := range map[string]string{"none": "", "own": "!index.yaml\n"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.repo = filepath.Join(f.tree, store.DefaultFolder)
			f.deliver(otherRepository(t))
			want := "*\n"
			if own != "" {
				write(t, f.repo, map[string]string{".gitignore": own})
				want = own
			}
			f.build()
			if got := string(mustRead(t, filepath.Join(f.repo, ".gitignore"))); got != want {
				t.Errorf(".gitignore is %q, want %q", got, want)
			}
		})
	}
}
