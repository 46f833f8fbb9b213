package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chartserve/internal/reload"
)

// Files that change are read again; one that is wrong changes nothing, and is said once.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, log := t.TempDir(), new(lockedBuffer)
		write(t, dir, "users", "ann:"+bySHA1)
		file := write(t, dir, "access.yaml", "htpasswd: [users]\ngrants: [{names: [ann], rights: [read]}]\n")
		g := newGuard(t, Options{File: file})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); reload.New(log.logger(), g.Source()).Run(ctx) }()
		defer func() { cancel(); <-ended }()

		for _, step := range []struct {
			name    string
			do      func()
			err     error
			may     []Right
			logged  string
			another bool // line in the log
		}{
			{name: "as it was", do: func() {}, may: []Right{Read}},
			{name: "more rights", do: func() {
				write(t, dir, "access.yaml", "htpasswd: [users]\ngrants: [{names: [ann], rights: [upload]}]\n")
			}, may: []Right{Upload}, logged: "access rules read again", another: true},
			{name: "a mistake", do: func() { write(t, dir, "access.yaml", "htpasswd: [users]\ngrants: [{names: [ann], rights: [all]}]\n") }, may: []Right{Upload},
				logged: "those from before stay in force", another: true},
			{name: "no file", do: func() { os.Remove(file) }, may: []Right{Upload}, logged: "no such file", another: true},
			{name: "mended", do: func() {
				write(t, dir, "access.yaml", "htpasswd: [users]\ngrants: [{names: [ann], rights: [delete]}]\n")
			}, may: []Right{Delete},
				logged: "access rules read again", another: true},
			{name: "plain text", do: func() { write(t, dir, "users", "ann:s3cret") }, may: []Right{Delete}, logged: "users: line 1: the password of ann is plain text", another: true},
			{name: "user removed", do: func() { write(t, dir, "users", "bob:"+bySHA1) }, err: ErrCredentials, logged: "access rules read again", another: true},
			{name: "through a link", do: func() {
				os.Remove(filepath.Join(dir, "users"))
				write(t, dir, "other", "ann:"+bySHA1)
				if err := os.Symlink("other", filepath.Join(dir, "users")); err != nil {
					t.Fatal(err)
				}
			}, may: []Right{Delete}, logged: "access rules read again", another: true},
		} {
			before := strings.Count(log.String(), "\n")
			step.do()
			time.Sleep(5 * reload.Every)
			id, err := g.Identify(t.Context(), basic("ann", password), nil, "192.0.2.1:1")
			if !errors.Is(err, step.err) {
				t.Errorf("%s: got %v, want %v", step.name, err, step.err)
			}
			for _, r := range allRights() {
				if got, want := id.MaySome(r, ""), len(step.may) > 0 && step.may[0] == r; got != want {
					t.Errorf("%s: %s: got %v", step.name, r, got)
				}
			}
			lines := strings.Count(log.String(), "\n") - before
			if !strings.Contains(log.String(), step.logged) || step.another != (lines == 1) {
				t.Errorf("%s: %d more lines of log: %s", step.name, lines, log)
			}
		}
		if strings.Contains(log.String(), "s3cret") || strings.Contains(log.String(), "E33aJ") {
			t.Errorf("the log holds a secret: %s", log)
		}
	})
}

// A file that is being written is not read before it is whole.
func TestReloadOfHalfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, log := write(t, t.TempDir(), "users", "ann:"+bySHA1), new(lockedBuffer)
		g := newGuard(t, Options{Htpasswd: path})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); reload.New(log.logger(), g.Source()).Run(ctx) }()
		defer func() { cancel(); <-ended }()
		for i := range 20 { // each look sees another half
			write(t, filepath.Dir(path), "users", strings.Repeat("#\n", i))
			time.Sleep(reload.Every * 9 / 10)
			if _, err := g.Identify(t.Context(), basic("ann", password), nil, ""); err != nil {
				t.Fatalf("after %d halves: %v", i, err)
			}
		}
	})
}

// Requests meanwhile get the old rules or the new ones, and never an error.
func TestReloadUnderLoad(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "users", "ann:"+bySHA1)
	g := newGuard(t, Options{Htpasswd: path})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if id, err := g.Identify(t.Context(), basic("ann", password), nil, fmt.Sprint("192.0.2.", i)); err != nil || !id.May(Upload, "", "x") {
					t.Errorf("%d: %+v, %v", n, id, err)
					return
				}
			}
		})
	}
	for i := range 200 {
		write(t, dir, "new", fmt.Sprintf("ann:%s\nuser%d:%s\n", []string{bySHA1, bySHA256, byMD5}[i%3], i, byBcrypt))
		if err := os.Rename(filepath.Join(dir, "new"), path); err != nil {
			t.Fatal(err)
		}
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
}

// A pipe, as a shell makes of <(...), is read once, and SIGHUP locks nobody out.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		fmt.Fprintln(w, "ann:"+bySHA1)
		w.Close()
		g := newGuard(t, Options{Htpasswd: fmt.Sprint("/dev/fd/", r.Fd())})
		ctx, cancel := context.WithTimeout(t.Context(), 5*reload.Every)
		defer cancel()
		follower := reload.New(new(lockedBuffer).logger(), g.Source())
		follower.Run(ctx)
		follower.Reload()
		if _, err := g.Identify(t.Context(), basic("ann", password), nil, ""); err != nil {
			t.Errorf("later: %v", err)
		}
	})
}
