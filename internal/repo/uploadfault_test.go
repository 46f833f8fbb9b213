package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// uploadCase is a change by a client: before is what was uploaded before it.
type uploadCase struct {
	before, change func(r *Repository) error
}

func uploadCases(t *testing.T) map[string]uploadCase {
	one, other := archiveOf(t, "up", "1.0.0"), archiveOf(t, "up", "1.0.0", map[string]string{"up/new": "1"})
	noise := make([]byte, 200_000) // it is written while it is read
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	large := archiveOf(t, "up", "1.0.0", map[string]string{"up/noise": string(noise)})
	publish := func(data []byte, signed bool) func(*Repository) error {
		return func(r *Repository) error {
			o := PublishOptions{}
			if signed {
				o = withProvenance(provenanceOf("up", "1.0.0", data))
			}
			o.Overwrite = true
			return pass(r, o, func(u *upload) error { return r.stageArchive(u, bytes.NewReader(data), o) })
		}
	}
	return map[string]uploadCase{
		"new":                    {func(*Repository) error { return nil }, publish(one, true)},
		"large":                  {func(*Repository) error { return nil }, publish(large, true)},
		"replaced":               {publish(one, true), publish(other, false)},
		"replaced, signed":       {publish(one, true), publish(other, true)},
		"replaced, first signed": {publish(one, false), publish(other, true)},
		"provenance alone": {publish(one, false), func(r *Repository) error {
			return pass(r, PublishOptions{}, func(u *upload) error { return r.stageProvenance(u, []byte(provenanceOf("up", "1.0.0", one))) })
		}},
		"removed": {publish(one, true), func(r *Repository) error {
			rm := &removal{outcome: newOutcome(), id: ident{"up", "1.0.0"}}
			_ = r.pass(t.Context(), mail{removals: []*removal{rm}})
			return rm.err
		}},
	}
}

// pass does the pass of an upload.
func pass(r *Repository, o PublishOptions, stage func(*upload) error) error {
	u, err := r.newUpload(o, stage)
	if err != nil {
		return err
	}
	_ = r.pass(context.Background(), mail{uploads: []*upload{u}})
	return u.err
}

// What is tidied up after a pass takes no time of those who wait for it.
func TestUploadsAreAnsweredBeforeTheFolderIsTidied(t *testing.T) {
	f := newFixture(t)
	r := f.open()
	must(t, r.pass(t.Context(), rescan()))
	u, err := r.newUpload(PublishOptions{}, func(u *upload) error {
		return r.stageArchive(u, bytes.NewReader(archiveOf(t, "up", "1.0.0")), PublishOptions{})
	})
	must(t, err)
	left, tidied := "", false
	f.fail(func(op, name string) error {
		switch {
		case op == "rename":
			return syscall.EIO
		case op == "remove" && left == "":
			left = name
			return syscall.EIO
		case op == "remove" && name == left:
			tidied = true
			select {
			case <-u.done:
			default:
				t.Error("the upload waits for the folder to be tidied up")
			}
		}
		return nil
	})
	if err := r.pass(t.Context(), mail{uploads: []*upload{u}}); !errors.Is(err, syscall.EIO) || !tidied {
		t.Errorf("the pass ends with %v, tidied: %v; want %v and true", err, tidied, syscall.EIO)
	}
	f.fail(nil)
}

// Whatever operation fails, once or with all after it as where the process is killed:
// what was answered with success is there, and what was not is there whole or not at all.
// A provenance is never served with other bytes, and what was not replaced keeps its own.
// The same request again completes the change.
func TestFaultsOfUploads(t *testing.T) {
	inMemory(t)
	for name, c := range uploadCases(t) {
		t.Run(name, func(t *testing.T) {
			before, after := c.states(t)
			for _, more := range []bool{false, true} {
				n := 1
				for ; c.strike(t, &faults{err: syscall.EIO, n: n, more: more}, n%2 == 0, before, after); n++ {
				}
				t.Logf("all after it too: %v: %d times", more, n-1)
			}
		})
	}
}

// states are what is served before and after the change.
func (c uploadCase) states(t *testing.T) (before, after map[string]string) {
	f := newFixture(t)
	r := f.open()
	must(t, r.pass(t.Context(), rescan()))
	must(t, c.before(r))
	before = current(t, r.View())
	must(t, c.change(r))
	return before, current(t, r.View())
}

// current is what a View serves by name: archives and their provenance.
func current(t *testing.T, v *View) map[string]string {
	got := map[string]string{}
	for _, name := range []string{"up-1.0.0.tgz", "up-1.0.0.tgz.prov"} {
		if f, ok := v.files.get(name); ok && v.belongs(f) {
			got[name] = readServed(t, v, name)
		}
	}
	if version := v.Chart("up").Version("1.0.0"); (version != nil) != (got["up-1.0.0.tgz"] != "") || version != nil && "\""+version.Entry.Digest+"\"" != version.Archive.ETag {
		t.Error("the index has other versions than there are archives")
	}
	return got
}

func (c uploadCase) strike(t *testing.T, d *faults, restart bool, before, after map[string]string) bool {
	t.Helper()
	f := newFixture(t)
	f.opts.KeepReplaced = time.Hour
	r := f.open()
	must(t, r.pass(t.Context(), rescan()))
	must(t, c.before(r))
	must(t, r.saveState())
	f.fail(d.fail)
	err := c.change(r)
	f.fail(nil)
	say := func(format string, args ...any) {
		t.Errorf("operation %d (%s; all after it too: %v; restart: %v): %s", d.n, d.hit, d.more, restart, fmt.Sprintf(format, args...))
	}
	if d.hit != "" && err != nil && !errors.Is(err, syscall.EIO) {
		say("the error is %v", err)
	}
	if bad := new(chart.Error); errors.As(err, &bad) {
		say("the archive is said to be bad: %v", err)
	}
	if restart {
		must(t, r.Close())
		r = f.open()
	}
	must(t, r.pass(t.Context(), rescan()))
	got := current(t, r.View())
	part := maps.Clone(after) // the archive is there, its provenance is not
	delete(part, "up-1.0.0.tgz.prov")
	switch {
	case err == nil && !maps.Equal(got, after):
		say("answered with success, and there is %s", difference(got, after))
	case !maps.Equal(got, before) && !maps.Equal(got, after) && !maps.Equal(got, part):
		say("there is neither what was nor what comes: %s", difference(got, before))
	}
	if err := c.change(r); err != nil && !(errors.Is(err, ErrNoVersion) && len(got) == 0) {
		say("once more: %v", err)
	}
	if got := current(t, r.View()); !maps.Equal(got, after) {
		say("in the end there is %s", difference(got, after))
	}
	if left := temporary(t, f.repo); len(left) > 0 {
		say("in the end there are %v", left)
	}
	return d.hit != ""
}
