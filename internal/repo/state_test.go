package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartserve/internal/fileid"
)

// A repository that is opened again knows all of the charts and archives that it
// knew when it was closed.
func TestStateHoldsAll(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	out := filepath.Join(filepath.Dir(f.tree), "out")
	write(t, out, chartFiles("kit", "kit", "1.0.0"))
	f.add(chartFiles("app", "app", "1.0.0+b", "kit ^1 file://../../out/kit"), vendor("app", "inner", "1.1.0"),
		map[string]string{
			"app/Chart.lock":         "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n",
			"old/Chart.yaml":         "apiVersion: v2\nname: old\nversion: 1.0.0\nappVersion: \"2\"\ndescription: Old\ndeprecated: true\n",
			"broken/Chart.yaml":      "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
			"never/Chart.yaml":       "name: [\n",
			"odd/x.tgz":              string(archiveOf(t, "x", "1.0.0")),
			"odd/x.tgz.prov":         signed,
			"odd/bad.tgz":            "no archive",
			"odd/warned.tgz":         string(warned(t)),
			"warned/Chart.yaml":      "apiVersion: v2\nname: warned\nversion: 1.0.0\nicon: 1\n",
			"warned/values.yaml":     "a: 1\na: 2\n",
			"warned/templates/x.txt": "x",
		})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	must(t, os.WriteFile(filepath.Join(f.repo, "foreign.tgz"), archiveOf(t, "other", "2.0.0"), 0o644))
	f.add(map[string]string{"broken/Chart.yaml": "name: [\n"})
	must(t, r.Build(context.Background()))
	lives, stored, given, indexed := r.lives, r.stored.byPath, r.given.byPath, r.indexed
	must(t, r.Close())

	r, err = Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	r.recall()
	for _, set := range []map[string]*archive{stored, given} {
		for path, a := range set {
			if a.entry == nil {
				delete(set, path) // it is looked at again
			}
		}
	}
	for dir, l := range lives {
		if l.Metadata == nil {
			delete(lives, dir)
		} else if now := r.lives[dir]; now == nil || now.changed != (l.Err != nil) {
			t.Errorf("%s: an error that the state forgets, or invents", dir)
		}
	}
	all := cmp.Options{
		cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(archive{}, "stale", "err", "file", "source"), cmpopts.IgnoreFields(live{}, "source", "Chart.Err"),
		cmpopts.IgnoreFields(live{}, "stale", "changed", "dirs", "noted", "mu", "loaded"),
	}
	if diff := cmp.Diff(lives, r.lives, all); diff != "" {
		t.Errorf("charts:\n%s", diff)
	}
	if diff := cmp.Diff(stored, r.stored.byPath, all); diff != "" {
		t.Errorf("archives of the folder:\n%s", diff)
	}
	if diff := cmp.Diff(given, r.given.byPath, all); diff != "" {
		t.Errorf("archives of the sources:\n%s", diff)
	}
	if r.indexed != indexed || indexed == (indexFile{}) {
		t.Errorf("index.yaml %+v, want %+v", r.indexed, indexed)
	}
	if len(lives) < 5 || len(stored) < 5 || len(given) != 2 {
		t.Errorf("%d charts, %d and %d archives: the test lost what it is about", len(lives), len(stored), len(given))
	}
	before := stampIn(t, f.repo, stateName)
	must(t, r.saveState())
	if stampIn(t, f.repo, stateName) != before {
		t.Error("the state was written again though nothing changed")
	}
}

// A state is not saved after a pass that failed midway, nor twice.
func TestStateIsSavedWhenItChanged(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.saveState())
	if _, err := os.Stat(filepath.Join(f.repo, stateName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("saved before the first pass: %v", err)
	}
	must(t, r.Build(context.Background()))
	must(t, r.saveState())
	before := stampIn(t, f.repo, stateName)
	must(t, r.Build(context.Background()))
	must(t, r.saveState())
	if stampIn(t, f.repo, stateName) != before {
		t.Error("saved again, though nothing changed")
	}
	must(t, os.Remove(filepath.Join(f.repo, indexName)))
	must(t, r.Build(context.Background()))
	must(t, r.Close())
	index := stampIn(t, f.repo, indexName)
	f.build()
	if stampIn(t, f.repo, indexName) != index {
		t.Error("index.yaml was written anew by each start")
	}
}

// A state that can't be put in its place leaves no temporary file.
func TestStateInTheWay(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	write(t, f.repo, map[string]string{stateName + "/x": ""})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	must(t, r.Build(context.Background()))
	if err := r.Close(); err == nil {
		t.Error("a directory in the place of the state is no error")
	}
	left, err := filepath.Glob(filepath.Join(f.repo, tempPrefix+"*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	wantNames(t, f.names(), "a-1.0.0")
}

type failingWriter struct{ calls int }

func (w *failingWriter) Write(b []byte) (int, error) {
	w.calls++
	return 0, io.ErrShortWrite
}

func TestCodec(t *testing.T) {
	var buf bytes.Buffer
	e := &encoder{w: &buf}
	long := string(bytes.Repeat([]byte("long "), 100_000))
	times := []time.Time{{}, time.Date(1901, 2, 3, 4, 5, 6, 7, time.UTC), time.Date(2126, 2, 3, 4, 5, 6, 999_999_999, time.UTC)}
	s := fileid.Stamp{Size: math.MaxInt64, ModTime: -5, Inode: math.MaxUint64}
	e.text(long)
	e.texts([]string{"a", "", "b"})
	e.flag(true)
	e.flag(false)
	for _, at := range times {
		e.time(at)
	}
	e.stamp(s)
	e.text(long)
	e.raw([]byte("raw"))
	if n := buf.Len(); n < len(long) {
		t.Errorf("only %d bytes are written: all of it is in memory", n)
	}
	must(t, e.seal())
	d, err := unseal(buf.Bytes())
	must(t, err)
	if d.text() != long || !cmp.Equal(d.texts(), []string{"a", "", "b"}) || !d.flag() || d.flag() {
		t.Error("texts or flags")
	}
	for _, want := range times {
		if got := d.time(); got != want {
			t.Errorf("time %v, want %v", got, want)
		}
	}
	if got := d.stamp(); got != s {
		t.Errorf("stamp %v, want %v", got, s)
	}
	b := d.bytes()
	if string(b) != long || cap(b) != len(b) {
		t.Errorf("bytes with a capacity of %d", cap(b))
	}
	raw := make([]byte, 3)
	if d.raw(raw); string(raw) != "raw" || d.err != nil || len(d.buf) != 0 {
		t.Errorf("raw %q, %v, %d bytes left", raw, d.err, len(d.buf))
	}

	w := &failingWriter{}
	e = &encoder{w: w}
	e.text(long)
	e.text(long)
	if err := e.seal(); !errors.Is(err, io.ErrShortWrite) || w.calls != 1 {
		t.Errorf("%v after %d writes", err, w.calls)
	}
}

// What is cut short ends in an error, not in a panic or in endless work.
func TestDecoderEnds(t *testing.T) {
	reads := map[string]func(d *decoder){
		"number": func(d *decoder) { d.number() }, signed: func(d *decoder) { d.signed() }, "text": func(d *decoder) { d.text() },
		"texts": func(d *decoder) { d.texts() }, "time": func(d *decoder) { d.flag(); d.time() },
		"archives": func(d *decoder) { d.archives(newArchiveSet(func(string) {}), true) }, "charts": func(d *decoder) { d.lives(map[string]*live{}) },
	}
	for name, read := range reads {
		for _, data := range [][]byte{nil, {0xff}, bytes.Repeat([]byte{0xff}, 9)} {
			d := &decoder{buf: data}
			if read(d); d.err == nil {
				t.Errorf("%s of % x: no error", name, data)
			}
		}
	}
	many := &decoder{buf: append(bytes.Repeat([]byte{0xff}, 8), 0x7f)} // more than there can be
	if many.texts(); many.err == nil {
		t.Error("a list without end: no error")
	}
	if _, err := unseal([]byte{1, 2, 3}); err == nil {
		t.Error("three bytes have a good checksum")
	}
}
