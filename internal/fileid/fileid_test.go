package fileid

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"
)

// What is done to a file, and what notices it.
func TestWhatIsNoticed(t *testing.T) {
	at := time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		do           func(name string) error
		stamp, exact bool // it differs afterwards
	}{
		"nothing":       {func(string) error { return nil }, false, false},
		"other size":    {func(name string) error { return write(name, "longer", at) }, true, true},
		"other time":    {func(name string) error { return os.Chtimes(name, at, at.Add(time.Nanosecond)) }, true, true},
		"time set back": {func(name string) error { return write(name, "evil", at) }, false, true},
		"other rights":  {func(name string) error { return os.Chmod(name, 0o600) }, false, true},
		"linked":        {func(name string) error { return os.Link(name, name+".link") }, false, true},
		"replaced": {func(name string) error {
			if err := write(name+".new", "evil", at); err != nil {
				return err
			}
			return os.Rename(name+".new", name)
		}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			must(t, write(file, "good", at))
			before := stat(t, file)
			time.Sleep(20 * time.Millisecond) // more than a tick of the change time
			must(t, test.do(file))
			after := stat(t, file)
			if differs := StampOf(before) != StampOf(after); differs != test.stamp {
				t.Errorf("Stamp differs: %v, want %v", differs, test.stamp)
			}
			if differs := ExactOf(before) != ExactOf(after); differs != test.exact {
				t.Errorf("Exact differs: %v, want %v", differs, test.exact)
			}
			if ExactOf(after).Stamp != StampOf(after) {
				t.Error("Exact holds another Stamp")
			}
		})
	}
}

func TestID(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, write(file, "good", time.Now()))
	must(t, write(filepath.Join(dir, "other"), "good", time.Now()))
	must(t, os.Link(file, filepath.Join(dir, "link")))
	id := IDOf(stat(t, file))
	if !id.Known() || id != IDOf(stat(t, filepath.Join(dir, "link"))) || id == IDOf(stat(t, filepath.Join(dir, "other"))) {
		t.Errorf("%s: %+v", runtime.GOOS, id)
	}
	if Links(stat(t, file)) != 2 || Links(bare{}) != 0 {
		t.Errorf("%s: the file has %d names", runtime.GOOS, Links(stat(t, file)))
	}
	if IDOf(bare{}).Known() || ExactOf(bare{}) != (Exact{Stamp: Stamp{Size: 3, ModTime: 5}}) {
		t.Error("something is known of a file that no system describes")
	}
}

func TestTimes(t *testing.T) {
	for year, want := range map[int]int64{1: math.MinInt64, 1677: math.MinInt64, 2262: math.MaxInt64, 9999: math.MaxInt64} {
		if got := nanoseconds(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%d: %d, want %d", year, got, want)
		}
	}
	now := time.Now()
	if got := (Stamp{ModTime: nanoseconds(now)}).Time(); !got.Equal(now) {
		t.Errorf("%v, want %v", got, now)
	}
	e := Exact{Stamp: Stamp{ModTime: 7}, ChangeTime: 9}
	if got := e.Newest().UnixNano(); got != 9 {
		t.Errorf("newest %d, want the change time", got)
	}
	if Settled(now.Add(-Coarse), now) || !Settled(now.Add(-Coarse-1), now) {
		t.Error("Settled draws the line elsewhere")
	}
}

// A field that AppendTo forgets would be a change that nobody sees.
func TestAppendTo(t *testing.T) {
	var one Exact
	none := one.AppendTo(nil)
	var set func(v reflect.Value)
	set = func(v reflect.Value) {
		switch {
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				set(v.Field(i))
			}
			return
		case v.CanInt():
			v.SetInt(1)
		default:
			v.SetUint(1)
		}
		if bytes.Equal(one.AppendTo(nil), none) {
			t.Errorf("not noticed: %+v", one)
		}
		v.SetZero()
	}
	set(reflect.ValueOf(&one).Elem())
	if got := one.AppendTo([]byte("before")); !bytes.HasPrefix(got, []byte("before")) {
		t.Errorf("%q", got)
	}
}

func write(name, content string, at time.Time) error {
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		return err
	}
	return os.Chtimes(name, at, at)
}

func stat(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	fi, err := os.Stat(name)
	must(t, err)
	return fi
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bare is a file in memory.
type bare struct{ fs.FileInfo }

func (bare) Size() int64        { return 3 }
func (bare) ModTime() time.Time { return time.Unix(0, 5) }
func (bare) Mode() fs.FileMode  { return 0 }
func (bare) Sys() any           { return nil }
