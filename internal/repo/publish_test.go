package repo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartserve/internal/index"
)

// A pass that fails between the first rename and the last leaves no temporary
// file behind: it is tried again and again while the cause lasts.
func TestFailedCommitLeavesNoTemporaryFile(t *testing.T) {
	f := newFixture(t)
	f.opts.DigestURLs = true
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	inTheWay := filepath.Join(f.repo, digestFolder)
	must(t, os.WriteFile(inTheWay, nil, 0o644))
	if err := r.Build(context.Background()); err == nil {
		t.Fatal("built with a file in the place of by-digest")
	}
	left, err := filepath.Glob(filepath.Join(f.repo, tempPrefix+"*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	must(t, os.Remove(inTheWay))
	must(t, r.Build(context.Background()))
	f.checkWhole()
}

// A pass that finds no room for an address by content renames nothing: what the
// last View lists is there, under each name.
func TestFailedCommitKeepsWhatIsServed(t *testing.T) {
	for _, digests := range []bool{false, true} {
		for _, blocked := range []string{"a-1.0.0", "b-1.0.0"} {
			t.Run(fmt.Sprintf("digest URLs %t, no room for %s", digests, blocked), func(t *testing.T) {
				f := newFixture(t)
				f.opts.DigestURLs, f.opts.KeepReplaced = digests, time.Hour
				f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
				r, err := Open(f.repo, f.opts)
				must(t, err)
				defer r.Close()
				must(t, r.Build(context.Background()))
				before := f.index()
				write(t, f.tree, map[string]string{"a/new": "1", "b/new": "1"})
				digest := before[blocked] // which is kept where the index does not name it already
				if digests {
					after := &fixture{t: t, tree: f.tree, repo: filepath.Join(t.TempDir(), "after"), opts: f.opts}
					after.build()
					digest = after.index()[blocked]
				}
				inTheWay := filepath.Join(f.repo, digestFolder, digest)
				must(t, os.MkdirAll(filepath.Dir(inTheWay), 0o755))
				must(t, os.WriteFile(inTheWay, nil, 0o644))
				if err := r.Build(context.Background()); err == nil {
					t.Fatal("built with a file in the way")
				}
				for name, digest := range before {
					if got := readServed(t, r.View(), name+".tgz"); got != digest {
						t.Errorf("%s.tgz is %s, want %s", name, got, digest)
					}
				}
				must(t, os.Remove(inTheWay))
				must(t, r.Build(context.Background()))
				f.checkWhole()
			})
		}
	}
}

// What is wrong with the folder is a problem of the repository, and no fault of
// the chart that meets it first.
func TestFolderTroubleIsNoChartsFault(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	before := r.View()
	f.add(chartFiles("b", "b", "1.0.0"))
	f.fail(func(op, name string) error {
		if op == "create" {
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrExist}
		}
		return nil
	})
	if err := r.Build(context.Background()); err == nil {
		t.Error("built without room for a temporary file")
	}
	st := r.Status()
	if st.Problem == "" || len(st.Failures) != 0 {
		t.Errorf("problem %q, failures %v", st.Problem, st.Failures)
	}
	if s := r.View(); s.Status.Problem == "" || s.Index != before.Index {
		t.Errorf("the View has another index, or no problem: %+v", s.Status)
	}
	f.fail(nil)
	must(t, r.Build(context.Background()))
	if st := r.Status(); st.Problem != "" {
		t.Errorf("still a problem: %q", st.Problem)
	}
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
}

// Archives that the folder holds already, byte for byte, are adopted where the
// state is lost: the files stay, and are chartserve's own again.
func TestArchivesAreAdopted(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(chartFiles("a", "a", "1.0.0"))
	f.build()
	before := stampIn(t, f.repo, "a-1.0.0.tgz")
	must(t, os.Remove(filepath.Join(f.repo, stateName)))
	f.build()
	if stampIn(t, f.repo, "a-1.0.0.tgz") != before {
		t.Error("the archive was written again")
	}
	if st := f.build(); st.LastRebuild.Packaged != 0 {
		t.Errorf("packaged %d, want none", st.LastRebuild.Packaged)
	}
	f.remove("a")
	f.opts.Prune = true
	f.build()
	wantNames(t, f.names())
}

// The provenance of a SOURCE's archive is served as soon as the archive is, and
// goes with it.
func TestProvenanceIsServed(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.add(map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0")), "a.tgz.prov": signed})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(context.Background()))
	sum := sha256.Sum256([]byte(signed))
	if got, want := readServed(t, r.View(), "a-1.0.0.tgz.prov"), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("provenance: %s, want %s", got, want)
	}
	f.remove("a.tgz")
	f.remove("a.tgz.prov")
	must(t, r.Build(context.Background()))
	for _, name := range []string{"a-1.0.0.tgz", "a-1.0.0.tgz.prov"} {
		if got := readServed(t, r.View(), name); got != "not found" {
			t.Errorf("%s after the archive went: %s", name, got)
		}
		if _, err := os.Stat(filepath.Join(f.repo, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still in the folder: %v", name, err)
		}
	}
	f.add(map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0"))})
	must(t, r.Build(context.Background()))
	if got := readServed(t, r.View(), "a-1.0.0.tgz.prov"); got != "not found" {
		t.Errorf("an archive without provenance: %s", got)
	}
}

// Each write to the folder is an event of the watcher.
func TestIndexIsStagedInLargeWrites(t *testing.T) {
	f := newFixture(t)
	r := f.open()
	must(t, r.pass(t.Context(), rescan()))
	parts := make([][]byte, 4*indexWrite/512)
	for i := range parts {
		parts[i] = bytes.Repeat([]byte{byte(i)}, 512)
	}
	data := index.NewText(parts...)
	r.catalog.encoded = &index.Encoded{YAML: index.Body{Data: data, ETag: `"other"`}}
	writes := 0
	f.fail(func(op, _ string) error {
		if op == "write" {
			writes++
		}
		return nil
	})
	staged, err := r.stageIndex()
	must(t, err)
	defer staged.Discard()
	got := make([]byte, data.Len()+1)
	n, _ := staged.File().ReadAt(got, 0)
	if !bytes.Equal(got[:n], data.Bytes()) || writes != 4 {
		t.Errorf("%d bytes in %d writes, want %d in 4, all the same", n, writes, data.Len())
	}
}
