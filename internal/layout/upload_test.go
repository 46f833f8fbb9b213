package layout

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
)

func TestUploads(t *testing.T) {
	cut := errors.New("cut off")
	for name, c := range map[string]struct {
		restart bool
		alg     digest.Algorithm
	}{"sha256": {false, digest.SHA256}, "sha512": {false, digest.SHA512}, "after a restart": {true, digest.SHA256}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := start(t, dir, Options{})
			id, err := l.Start(nginx)
			must(t, err)
			step := func(at int64, r io.Reader, size int64, want error) {
				t.Helper()
				if c.restart {
					must(t, l.Close())
					l = start(t, dir, Options{})
				}
				if got, err := l.Append(nginx, id, at, r); got != size || !errors.Is(err, want) {
					t.Fatalf("at %d: %d, %v", at, got, err)
				}
				if got, err := l.Size(nginx, id); got != size || err != nil {
					t.Fatalf("size: %d, %v", got, err)
				}
			}
			step(0, strings.NewReader("abc"), 3, nil)
			step(-1, strings.NewReader("def"), 6, nil)
			step(3, strings.NewReader("x"), 6, ErrOrder)
			step(7, strings.NewReader("x"), 6, ErrOrder)
			step(6, io.MultiReader(strings.NewReader("ghi"), iotest.ErrReader(cut)), 9, cut)
			step(9, strings.NewReader(""), 9, nil)
			step(9, strings.NewReader("j"), 10, nil)
			d := c.alg.FromString("abcdefghij")
			must(t, l.Finish(nginx, id, d))
			if got := blob(t, l, nginx, d); got != "abcdefghij" {
				t.Errorf("got %q", got)
			}
			_, serr := l.Size(nginx, id)
			_, aerr := l.Append(nginx, id, 0, nil)
			for _, err := range []error{serr, aerr, l.Finish(nginx, id, d), l.Cancel(nginx, id)} {
				if !errors.Is(err, ErrNoUpload) {
					t.Errorf("once it is finished: %v", err)
				}
			}
			if got := files(t, dir); len(got) != 2 {
				t.Errorf("there is %v", got)
			}
		})
	}
}

func TestUploadsThatEnd(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{MaxBlob: 5})
	begin := func(content string) string {
		t.Helper()
		id, err := l.Start(nginx)
		must(t, err)
		_, err = l.Append(nginx, id, 0, strings.NewReader(content))
		must(t, err)
		return id
	}
	wrong, large, cancelled, open := begin("abc"), begin("abc"), begin("abc"), begin("abcde")
	if err := l.Finish(nginx, wrong, digest.FromString("x")); !errors.Is(err, ErrDigest) {
		t.Error(err)
	}
	if size, err := l.Append(nginx, large, 3, strings.NewReader("def")); size != 0 || !errors.Is(err, ErrTooLarge) {
		t.Error(size, err)
	}
	must(t, l.Cancel(nginx, cancelled))
	for _, id := range []string{wrong, large, cancelled, "", "x", "../" + open, strings.ToLower(open), strings.Repeat("A", 26)} {
		if _, err := l.Size(nginx, id); !errors.Is(err, ErrNoUpload) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := l.Size("other", open); !errors.Is(err, ErrNoUpload) {
		t.Error(err)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("there is %v", got)
	}
}

// A disk that fails in the middle of a request keeps what came before that, and no more: the
// upload can go on once there is room.
func TestUploadsOnFullDisk(t *testing.T) {
	full := false
	dir := t.TempDir()
	l := start(t, dir, Options{Fault: func(op, _ string) error {
		if full && op == "write" {
			return syscall.ENOSPC
		}
		return nil
	}})
	id, err := l.Start(nginx)
	must(t, err)
	_, err = l.Append(nginx, id, 0, strings.NewReader("abc"))
	must(t, err)
	rest := io.MultiReader(strings.NewReader("def"), readerFunc(func([]byte) (int, error) {
		full = true
		return 0, io.EOF
	}), strings.NewReader("ghi"))
	if size, err := l.Append(nginx, id, 3, rest); size != 3 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d, %v", size, err)
	}
	if size, err := l.Size(nginx, id); size != 3 || err != nil {
		t.Errorf("size: %d, %v", size, err)
	}
	full = false
	_, err = l.Append(nginx, id, 3, strings.NewReader("xyz"))
	must(t, err)
	must(t, l.Finish(nginx, id, digest.FromString("abcxyz")))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Two that add to one upload do not mix their bytes.
func TestOneAddsAtATime(t *testing.T) {
	l := start(t, t.TempDir(), Options{})
	id, err := l.Start(nginx)
	must(t, err)
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := l.Append(nginx, id, 0, r)
		done <- err
	}()
	_, err = w.Write([]byte("abc"))
	must(t, err)
	if _, err := l.Append(nginx, id, -1, strings.NewReader("x")); !errors.Is(err, ErrOrder) {
		t.Error(err)
	}
	if err := l.Finish(nginx, id, digest.FromString("abc")); !errors.Is(err, ErrOrder) {
		t.Error(err)
	}
	must(t, w.Close())
	must(t, <-done)
	must(t, l.Finish(nginx, id, digest.FromString("abc")))
}

// An upload that is cancelled while it is finished is none, which is no fault of the folder.
func TestCancelledWhileFinished(t *testing.T) {
	var l *Layout
	var id string
	l = start(t, t.TempDir(), Options{Fault: func(op, name string) error {
		if op == "sync" && strings.HasSuffix(name, id) {
			return l.Cancel(nginx, id)
		}
		return nil
	}})
	var err error
	id, err = l.Start(nginx)
	must(t, err)
	if err := l.Finish(nginx, id, digest.FromString("")); !errors.Is(err, ErrNoUpload) {
		t.Errorf("got %v", err)
	}
}

func TestTooManyUploads(t *testing.T) {
	dir := quick(t)
	l := start(t, dir, Options{})
	var last string
	for i := range maxUploads {
		id, err := l.Start(fmt.Sprint("n", i%7))
		must(t, err)
		last = id
	}
	l = start(t, dir, Options{}) // those of the last process count
	if _, err := l.Start("x"); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
	must(t, l.Cancel(fmt.Sprint("n", (maxUploads-1)%7), last))
	id, err := l.Start("x")
	must(t, err)
	if _, err := l.Start("x"); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, uploads, "x", id))) // by somebody else
	if _, err := l.Start("x"); err != nil {
		t.Error(err)
	}
}

// A layer takes no more memory than a small one, nor does an upload that goes on after a
// restart. With TORTURE=long it has 8 GiB, of which the disk has to hold few.
func TestLargeLayers(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("TORTURE") == "long" {
		size = 8 << 30
	}
	dir := t.TempDir()
	l := start(t, dir, Options{})
	id, err := l.Start(nginx)
	must(t, err)
	file := filepath.Join(dir, uploads, "library+nginx", id)
	must(t, os.Truncate(file, size))
	v := digest.SHA256.Hash()
	_, err = io.Copy(v, io.LimitReader(zeros{}, size))
	must(t, err)
	_, err = io.Copy(v, io.LimitReader(ones{}, 20<<20))
	must(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got, err := l.Append(nginx, id, size, io.LimitReader(ones{}, 20<<20)); got != size+20<<20 || err != nil {
		t.Fatal(got, err)
	}
	must(t, l.Finish(nginx, id, digest.NewDigest(digest.SHA256, v)))
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for a layer of %d", used, size)
	}
	f, err := l.OpenBlob(nginx, digest.NewDigest(digest.SHA256, v))
	must(t, err)
	defer f.Close()
	if fi, err := f.Stat(); err != nil || fi.Size() != size+20<<20 {
		t.Error(fi, err)
	}
}

type (
	zeros struct{}
	ones  struct{}
)

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}
