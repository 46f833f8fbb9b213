package reload

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What changes is loaded once it was the same at two looks, what has no files only when
// somebody asks.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("1")
		var got string
		var files Files
		load := func() error {
			files.Begin()
			data, err := files.Read(path)
			if err == nil && string(data) == "bad" {
				err = errors.New("it is bad")
			}
			if err == nil {
				got = string(data)
			}
			return err
		}
		if err := load(); err != nil {
			t.Fatal(err)
		}
		asked, log := 0, new(bytes.Buffer)
		f := New(slog.New(slog.NewTextHandler(log, nil)),
			Source{Files: &files, Load: load, Done: "read again", Kept: "goes on"},
			Source{Load: func() error { asked++; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		time.Sleep(Every / 2)
		for _, step := range []struct {
			text, at, after string // what is written, what is had a look later, and two
			logged          string
		}{
			{"1", "1", "1", ""}, {"2", "1", "2", "read again"}, {"bad", "2", "2", "it is bad"}, {"2", "2", "2", "read again"}, {"3", "2", "3", "read again"},
		} {
			had := func(d time.Duration) (string, string) {
				time.Sleep(d)
				synctest.Wait()
				f.mu.Lock()
				defer f.mu.Unlock()
				return got, log.String()
			}
			_, before := had(0)
			write(step.text)
			if at, _ := had(Every); at != step.at {
				t.Errorf("%s after one look: %s", step.text, at)
			}
			after, told := had(3 * Every)
			told = strings.TrimPrefix(told, before)
			if lines := strings.Count(told, "\n"); after != step.after || !strings.Contains(told, step.logged) || lines > 1 {
				t.Errorf("%s: got %s, log %s", step.text, after, told)
			}
		}
		if asked != 0 {
			t.Errorf("what nobody asked for was loaded %d times", asked)
		}
		write("4")
		f.Reload()
		if got != "4" || asked != 1 {
			t.Errorf("at once: %s, %d", got, asked)
		}
		cancel()
		<-ended
	})
}

func TestBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, make([]byte, MaxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := new(Files).Read(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if data, err := new(Files).Read(os.DevNull); err != nil || len(data) != 0 {
		t.Errorf("got %q, %v", data, err)
	}
}
