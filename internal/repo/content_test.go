package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/layout"
)

// What is pushed after the folder was replaced is in the folder that is there.
func TestContentOfAFolderThatMoved(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("web", "web", "1.0.0"))
	r := f.run().r
	push := func() *layout.Layout {
		t.Helper()
		l, err := r.Content(true)
		must(t, err)
		must(t, l.Write("image", digest.FromString("layer"), []byte("layer")))
		return l
	}
	first := push()
	if again := push(); again != first {
		t.Error("it is opened each time")
	}
	must(t, os.Rename(f.repo, f.repo+".old"))
	if _, err := r.Content(false); err == nil {
		t.Error("there is content without a folder")
	}
	must(t, os.Mkdir(f.repo, 0o755))
	if next := push(); next == first {
		t.Error("it is in the folder that moved")
	}
	if _, err := os.Stat(filepath.Join(f.repo, ".oci/image/blobs/sha256", digest.FromString("layer").Encoded())); err != nil {
		t.Error(err)
	}
}

// The entries of charts go with their archives: those that the index has, or that can still
// be had, stay.
func TestCollectCharts(t *testing.T) {
	f := newFixture(t)
	f.opts.KeepReplaced = time.Hour
	now := time.Now()
	f.opts.Now = func() time.Time { return now }
	f.add(chartFiles("web", "web", "1.0.0"))
	r := f.open()
	must(t, r.Build(t.Context()))
	current := r.View().Chart("web").Versions[0].Entry.Digest
	f.add(map[string]string{"web/templates/cm.yaml": "kind: Secret\n"})
	must(t, r.Build(t.Context()))
	replaced, current := current, r.View().Chart("web").Versions[0].Entry.Digest
	l, err := r.Content(true)
	must(t, err)
	for tag, archive := range map[string]string{"current": current, "replaced": replaced, "void": strings.Repeat("0", 64), "artifact": ""} {
		data := []byte(`{"tag":"` + tag + `"}`)
		must(t, l.Put("web", &layout.Manifest{Digest: digest.FromBytes(data), Tag: tag, Archive: archive}, data))
	}
	for _, want := range []string{"artifact current replaced void", "artifact current replaced"} {
		r.collect(t.Context())
		c, err := l.Content("web")
		must(t, err)
		if got := strings.Join(c.Tags(), " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		now = now.Add(time.Hour)
	}
	// It was published when the process was killed, before the index had it.
	late := []byte("late")
	must(t, l.Put("web", &layout.Manifest{Digest: digest.FromBytes(late), Tag: "late", Archive: digest.FromBytes(late).Encoded()}, late))
	must(t, r.Close())
	must(t, os.WriteFile(filepath.Join(f.repo, "late-1.0.0.tgz"), late, 0o644))
	if _, err := l.Content("web"); err == nil {
		t.Error("it is open still")
	}
	if _, err := r.Content(true); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	got, err := CollectFolder(t.Context(), f.repo, layout.CollectOptions{Grace: 1}, f.opts)
	if want := (layout.Collected{Blobs: 1, Bytes: int64(len(`{"tag":"void"}`))}); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
