package repo

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/index"
)

// What is published follows from what is there, not from the way there: beside a
// source that can't be built the tree's own archive of that name and version is
// published, by a server that saw the source good as by a fresh build.
func TestArchiveBesideABrokenSource(t *testing.T) {
	good, broken := chartFiles("nova", "nova", "1.0.0"), chartFiles("nova", "nova", "1.0.0", "gone ^1 file://../gone")
	tree := func(f *fixture) {
		f.add(map[string]string{"assets/nova-1.0.0.tgz": string(archiveOf(t, "nova", "1.0.0"))})
	}

	live := newFixture(t)
	tree(live)
	live.add(good)
	live.build()
	live.add(broken)
	st := live.build()
	fresh := newFixture(t)
	tree(fresh)
	fresh.add(broken)
	if got := reasons(fresh.build()); got == "" || got != reasons(st) {
		t.Errorf("reasons: live %q, fresh %q", reasons(st), got)
	}
	want := fresh.index()
	if len(want) != 1 {
		t.Errorf("published: %v, want the archive of the tree", want)
	}
	if got := live.index(); got["nova-1.0.0"] != want["nova-1.0.0"] {
		t.Errorf("live %v, fresh %v", got, want)
	}
}

// With --prune a version that is bumped and broken at once leaves the last good one.
func TestPruneKeepsTheLastGoodVersion(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.add(chartFiles("nova", "nova", "1.0.0"))
	f.build()
	f.add(chartFiles("nova", "nova", "1.1.0", "gone ^1 file://../gone"))
	f.build()
	wantNames(t, f.names(), "nova-1.0.0")
	f.add(chartFiles("nova", "nova", "1.1.0"))
	f.build()
	wantNames(t, f.names(), "nova-1.1.0")
}

// Of two charts of one name and version the one of the SOURCE that is named first is
// published, whatever the order of their paths.
func TestSourceOrderIsTheCommandLines(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a/nova", "nova", "1.0.0"), chartFiles("b/nova", "nova", "1.0.0"), map[string]string{"b/nova/own.txt": "b"})
	digests := map[string]bool{}
	for _, order := range [][]string{{"/a", "/b"}, {"/b", "/a"}} {
		f.opts.Sources = []string{f.tree + order[0], f.tree + order[1]}
		f.build()
		digests[f.index()["nova-1.0.0"]] = true
	}
	if len(digests) != 2 {
		t.Error("the order of the SOURCEs changes nothing")
	}
}

// Of the builds of one version the index lists the live one first: Helm takes the first
// of equals, and after a commit that is to be the new one.
func TestLiveBuildComesFirst(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("nova", "nova", "0.1.0"))
	for i, commit := range []string{"9f0000000", "1a0000000", "9f0000000"} { // and back again
		f.opts.BuildMetadata = commit
		f.build()
		file, err := index.Decode([]byte(mustRead(t, filepath.Join(f.repo, "index.yaml"))))
		must(t, err)
		if len(file.Entries) != min(i+1, 2) || file.Entries[0].Version != "0.1.0+"+commit {
			t.Errorf("build %d of %s: the index lists %v first, of %d", i, commit, file.Entries[0].Version, len(file.Entries))
		}
	}
}

// A source that turns out to be unfit when it is packaged, here too large with what it
// depends on, hides nothing: the archive of its name and version is published as beside a
// source that can't be read, live and fresh, and with --prune its last good version stays.
func TestArchiveBesideAnUnfitSource(t *testing.T) {
	text := map[string]string{"lib/x.txt": strings.Repeat("x", 3000), "nova/x.txt": strings.Repeat("x", 3000)}
	tree := func(f *fixture) {
		f.opts.Limits.Chart = 5000
		f.add(chartFiles("lib", "lib", "1.0.0"), map[string]string{"assets/nova-1.1.0.tgz": string(archiveOf(t, "nova", "1.1.0"))})
	}
	unfit := func(f *fixture) {
		f.add(chartFiles("nova", "nova", "1.1.0", "lib ^1 file://../lib"), text)
	}
	live, fresh := newFixture(t), newFixture(t)
	tree(live)
	live.add(chartFiles("nova", "nova", "1.1.0", "lib ^1 file://../lib"))
	live.build()
	unfit(live)
	tree(fresh)
	unfit(fresh)
	st := live.build()
	if got := reasons(fresh.build()); got == "" || got != reasons(st) {
		t.Errorf("reasons: live %q, fresh %q", reasons(st), got)
	}
	want := fresh.index()
	if got := live.index(); got["nova-1.1.0"] == "" || !maps.Equal(got, want) {
		t.Errorf("live %v, fresh %v", got, want)
	}

	bumped := newFixture(t)
	bumped.opts.Prune, bumped.opts.Limits.Chart = true, 5000
	bumped.add(chartFiles("lib", "lib", "1.0.0"), chartFiles("nova", "nova", "1.0.0", "lib ^1 file://../lib"))
	bumped.build()
	unfit(bumped)
	for range 2 {
		if st := bumped.build(); len(st.Failures) != 1 {
			t.Errorf("failures %v, want one", st.Failures)
		}
		wantNames(t, bumped.names(), "lib-1.0.0", "nova-1.0.0")
	}
	bumped.remove("nova/x.txt")
	bumped.build()
	wantNames(t, bumped.names(), "lib-1.0.0", "nova-1.1.0")
}

// What can't be listed is not counted as taken over unread.
func TestNothingIsReusedAtFirst(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0"))
	must(t, os.Symlink(t.TempDir(), filepath.Join(f.tree, "b", "out")))
	if st := f.build(); st.LastRebuild.Reused != 0 || len(st.Failures) != 1 {
		t.Errorf("%d reused, failures %v", st.LastRebuild.Reused, st.Failures)
	}
}
