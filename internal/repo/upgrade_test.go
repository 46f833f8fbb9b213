package repo

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/store"
)

// TestStateOfAnotherVersion: a folder that another version has run on is what it was, dates
// and kept versions included (docs/upgrading.md).
func TestStateOfAnotherVersion(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	f.add(chartFiles("a", "a", "1.1.0")) // 1.0.0 is kept
	f.build()
	index := filepath.Join(f.repo, "index.yaml")
	must(t, os.WriteFile(index, []byte(redated(mustRead(t, index))), 0o644)) // published long ago
	want, archive := mustRead(t, index), mustRead(t, filepath.Join(f.repo, "a-1.0.0.tgz"))

	s, err := store.Open(f.repo, store.Options{})
	must(t, err)
	must(t, s.SaveState("chartserve state 1\n", func(*store.Codec) error { return nil }))
	must(t, s.Close())
	var log bytes.Buffer
	f.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f.build()
	if !strings.Contains(log.String(), "it was written by another version") {
		t.Errorf("log: %s", &log)
	}
	if got := mustRead(t, index); !bytes.Equal(got, want) {
		t.Errorf("index: got\n%s\nwant\n%s", got, want)
	}
	if !bytes.Equal(mustRead(t, filepath.Join(f.repo, "a-1.0.0.tgz")), archive) {
		t.Error("the kept archive has other bytes")
	}
}
