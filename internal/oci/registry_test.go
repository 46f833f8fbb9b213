package oci

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
	"chartserve/internal/layout"
	"chartserve/internal/repo"
)

// fixture is a source tree, and a repository that is built of it.
type fixture struct {
	t         testing.TB
	tree, dir string
	opts      repo.Options
	now       time.Time
	r         *repo.Repository
	charts    *Charts
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, tree: t.TempDir(), dir: t.TempDir(), now: time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)}
	f.opts = repo.Options{Sources: []string{f.tree}, KeepReplaced: time.Hour, Now: func() time.Time { return f.now }}
	f.open()
	t.Cleanup(func() { f.r.Close() })
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	r, err := repo.Open(f.dir, f.opts)
	must(f.t, err)
	f.r, f.charts = r, new(Charts)
}

func (f *fixture) restart() {
	f.t.Helper()
	must(f.t, f.r.Close())
	f.open()
	f.build()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chart writes a chart into the tree; text makes its archive another one.
func (f *fixture) chart(dir, name, version, text string) {
	f.t.Helper()
	f.write(dir+"/Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version))
	f.write(dir+"/text", text)
}

func (f *fixture) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.tree, name)
	must(f.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(f.t, os.WriteFile(path, []byte(text), 0o644))
}

func (f *fixture) build() Registry {
	f.t.Helper()
	must(f.t, f.r.Build(f.t.Context()))
	return f.registry()
}

func (f *fixture) registry() Registry {
	return Registry{Charts: f.charts, View: f.r.View(), Pushed: f.r}
}

// bytes are those of what was found, whose digest and size they have.
func bytes(t testing.TB, r Registry, f *Found) []byte {
	t.Helper()
	var data []byte
	var err error
	switch {
	case f == nil:
		t.Fatal("it is not there")
	case f.Make != nil:
		data, err = f.Make()
	case f.Disk != nil:
		data, err = io.ReadAll(f.Disk)
		f.Close()
	default:
		file, openErr := r.View.Open(f.File)
		must(t, openErr)
		defer file.Close()
		data, err = io.ReadAll(file)
	}
	must(t, err)
	if f.Digest != f.Digest.Algorithm().FromBytes(data) || f.Size != int64(len(data)) {
		t.Errorf("%s of %d bytes has %d bytes: %.200s", f.Digest, f.Size, len(data), data)
	}
	return data
}

// pull reads a manifest and its blobs, as clients do, and returns them.
func pull(t testing.TB, r Registry, name, reference string) (*Found, *ocispec.Manifest) {
	t.Helper()
	var f *Found
	var err error
	if strings.Contains(reference, ":") {
		f, err = r.ManifestByDigest(name, digest.Digest(reference))
	} else {
		f, err = r.Manifest(name, reference)
	}
	must(t, err)
	if f == nil {
		return nil, nil
	}
	m := new(ocispec.Manifest)
	must(t, json.Unmarshal(bytes(t, r, f), m))
	for _, d := range append([]ocispec.Descriptor{m.Config}, m.Layers...) {
		b, err := r.Blob(name, d.Digest)
		must(t, err)
		if b == nil {
			t.Fatalf("%s:%s: blob %s is not there", name, reference, d.MediaType)
		}
		if data := bytes(t, r, b); b.Size != d.Size || b.Digest != d.Digest || d.MediaType == ConfigType && !json.Valid(data) {
			t.Errorf("%s:%s: blob %s is %+v", name, reference, d.MediaType, b)
		}
	}
	return f, m
}

// check compares all that a registry has of the charts with the index of the same View.
func check(t testing.TB, r Registry) {
	t.Helper()
	charts, others, err := r.Names()
	must(t, err)
	if len(others) > 0 {
		t.Errorf("names that are no charts: %v", others)
	}
	var names []string
	for c := range r.View.Charts() {
		names = append(names, c.Name)
		tags, err := r.Tags(c.Name)
		must(t, err)
		var want []string
		for _, v := range c.Versions {
			tag := strings.ReplaceAll(v.Entry.Version, "+", "_")
			want = append(want, tag)
			f, m := pull(t, r, c.Name, tag)
			if f == nil || m.Layers[0].Digest.Encoded() != v.Entry.Digest || m.Annotations[ocispec.AnnotationVersion] != v.Entry.Version {
				t.Fatalf("%s:%s is %+v, the index has %s", c.Name, tag, m, v.Entry.Digest)
			}
			if again, _ := pull(t, r, c.Name, string(f.Digest)); again == nil || again.Digest != f.Digest {
				t.Errorf("%s@%s: got %+v", c.Name, f.Digest, again)
			}
		}
		if slices.Sort(want); !slices.Equal(tags, want) {
			t.Errorf("tags of %s are %v, want %v", c.Name, tags, want)
		}
	}
	if !slices.Equal(names, charts) {
		t.Errorf("names are %v, want %v", charts, names)
	}
}

// Whatever happens to the sources, each View has the tags that its index has, with the same
// archives, and goes on to have them.
func TestTagsFollowTheIndex(t *testing.T) {
	f := newFixture(t)
	random := rand.New(rand.NewPCG(1, 2))
	var last Registry // of the same run; nil View: there was none
	for i := range 40 {
		name, version := string(rune('a'+random.IntN(3))), fmt.Sprintf("%d.0.0+b.%d", random.IntN(3), random.IntN(2))
		dir := name + "-" + version
		switch random.IntN(4) {
		case 0:
			must(t, os.RemoveAll(filepath.Join(f.tree, dir)))
		default:
			f.chart(dir, name, version, fmt.Sprint(i))
		}
		if i%5 == 0 {
			f.opts.Prune = !f.opts.Prune
			f.restart()
			last.View = nil
		}
		r := f.build()
		check(t, r)
		if last.View != nil {
			for c := range last.View.Charts() {
				for _, v := range c.Versions {
					pull(t, last, c.Name, Tag(v.Entry.Version))
				}
			}
		}
		last = r
	}
}

// A chart that was replaced has its tag no more, and its digest for the grace time, also
// after a restart; so has one that was removed.
func TestDigestsOutliveTags(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.restart()
	f.chart("web", "web", "1.0.0", "one")
	f.chart("web-x", "web-x", "1.0.0", "another whose name begins so")
	old, m := pull(t, f.build(), "web", "1.0.0")
	other, ofOther := pull(t, f.registry(), "web-x", "1.0.0")
	f.chart("web", "web", "1.0.0", "two")
	f.chart("web-x", "web-x", "1.0.0", "two")
	r := f.build()
	if now, _ := pull(t, r, "web", "1.0.0"); now.Digest == old.Digest {
		t.Error("the tag has not moved")
	}
	if got, err := r.ManifestByDigest("web", other.Digest); got != nil || err != nil {
		t.Errorf("another chart's manifest: %+v, %v", got, err)
	}
	for _, d := range []digest.Digest{ofOther.Config.Digest, ofOther.Layers[0].Digest} {
		if got, err := r.Blob("web", d); got != nil || err != nil {
			t.Errorf("another chart's blob: %+v, %v", got, err)
		}
	}
	there := func(when string, want bool) {
		t.Helper()
		r := f.registry()
		if got, _ := pull(t, r, "web", string(old.Digest)); (got != nil) != want {
			t.Errorf("%s: the manifest by digest: %+v", when, got)
		}
		for _, d := range []digest.Digest{m.Config.Digest, m.Layers[0].Digest} {
			for _, name := range []string{"web-x", "w", "org/web"} {
				if got, err := r.Blob(name, d); got != nil || err != nil {
					t.Errorf("%s: %s has a blob of another: %+v, %v", when, name, got, err)
				}
			}
		}
		if got, err := r.Blob("web", m.Layers[0].Digest); (got != nil) != want || err != nil {
			t.Errorf("%s: the archive: %+v, %v", when, got, err)
		}
	}
	there("replaced", true)
	f.restart()
	there("after a restart", true)
	must(t, os.RemoveAll(filepath.Join(f.tree, "web")))
	r = f.build()
	if tags, err := r.Tags("web"); len(tags) > 0 || err != nil {
		t.Errorf("tags of what was removed: %v, %v", tags, err)
	}
	there("removed", true)
	f.now = f.now.Add(2 * time.Hour)
	f.build()
	there("after its time", false)
}

// What is read from an archive that was replaced is what the index said of it.
func TestReplacedIsAsItWas(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"all fields": {"web/Chart.yaml": described},
		"v1": {
			"web/Chart.yaml": "name: web\nversion: 1.0.0\nappVersion: 1.10\n", "web/requirements.yaml": "dependencies:\n- {name: s, version: 1.0.0, repository: '', import-values: [{child: a, parent: b}]}\n",
			"web/charts/s/Chart.yaml": "name: s\nversion: 1.0.0\n",
		},
		"odd texts": {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: \"a\\x85\\u2028\\U0001F600 \\\\ \\t\"\nannotations: {'<a>': '&'}\n"},
	} {
		f := newFixture(t)
		for file, text := range files {
			f.write(file, text)
		}
		old, _ := pull(t, f.build(), "web", "1.0.0")
		if old == nil {
			t.Fatalf("%s: not published: %+v", name, f.r.View().Status.Failures)
		}
		f.write("web/text", "another")
		f.build()
		f.restart() // nothing is remembered
		if again, _ := pull(t, f.registry(), "web", string(old.Digest)); again == nil {
			t.Errorf("%s: the old manifest is gone", name)
		}
	}
}

// So it is where the index says something else than an archive that was copied.
func TestReplacedIsAsItWasRewritten(t *testing.T) {
	made := newFixture(t)
	made.write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: s, version: 1.0.0, repository: 'http://a'}]\n")
	made.write("web/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n")
	made.build()
	archive, err := os.ReadFile(filepath.Join(made.dir, "web-1.0.0.tgz"))
	must(t, err)
	f := newFixture(t)
	f.opts.Rewrite = chart.Rewrites{{From: "http://a", To: "http://b"}}
	f.restart()
	f.write("web.tgz", string(archive))
	r := f.build()
	old, m := pull(t, r, "web", "1.0.0")
	config, err := r.Blob("web", m.Config.Digest)
	must(t, err)
	if text := string(bytes(t, r, config)); m.Layers[0].Digest != digest.FromBytes(archive) || !strings.Contains(text, "http://b") {
		t.Errorf("%+v, %s", m, text)
	}
	f.chart("web", "web", "1.0.0", "another")
	f.build()
	f.restart()
	if again, _ := pull(t, f.registry(), "web", string(old.Digest)); again == nil {
		t.Error("the old manifest is gone")
	}
}

// Archives of one version may share a config: it is there for as long as one of them is.
func TestSharedConfig(t *testing.T) {
	f := newFixture(t)
	f.chart("web", "web", "1.0.0", "one")
	old, m := pull(t, f.build(), "web", "1.0.0")
	f.chart("web", "web", "1.0.0", "two")
	f.build()
	pull(t, f.registry(), "web", string(old.Digest)) // by the archive that goes first
	f.now = f.now.Add(2 * time.Hour)
	r := f.build()
	if got, err := r.Blob("web", m.Config.Digest); got == nil || err != nil {
		t.Errorf("the config: %+v, %v", got, err)
	}
	if got, err := r.Blob("web", m.Layers[0].Digest); got != nil || err != nil {
		t.Errorf("the archive: %+v, %v", got, err)
	}
}

// A provenance is a layer; when it comes or goes the tag moves, and the one of an archive
// that was replaced is there with it.
func TestProvenanceIsALayer(t *testing.T) {
	f := newFixture(t)
	f.chart("src", "web", "1.0.0", "x")
	f.build()
	archive, err := os.ReadFile(filepath.Join(f.dir, "web-1.0.0.tgz"))
	must(t, err)
	must(t, os.RemoveAll(filepath.Join(f.tree, "src")))
	must(t, os.Remove(filepath.Join(f.dir, "web-1.0.0.tgz")))
	f.write("web.tgz", string(archive))
	_, m := pull(t, f.build(), "web", "1.0.0")
	if len(m.Layers) != 1 {
		t.Errorf("without provenance: %+v", m.Layers)
	}
	const prov = "-----BEGIN PGP SIGNED MESSAGE-----\n"
	f.write("web.tgz.prov", prov)
	signed, m := pull(t, f.build(), "web", "1.0.0")
	if len(m.Layers) != 2 || m.Layers[0].MediaType != ChartType || m.Layers[1].MediaType != ProvenanceType || m.Layers[1].Digest != digest.FromString(prov) {
		t.Errorf("with provenance: %+v", m.Layers)
	}
	must(t, os.Remove(filepath.Join(f.tree, "web.tgz.prov")))
	f.chart("web", "web", "1.0.0", "now from a chart")
	r := f.build()
	if _, m := pull(t, r, "web", "1.0.0"); len(m.Layers) != 1 {
		t.Errorf("replaced: %+v", m.Layers)
	}
	for range 2 {
		if again, _ := pull(t, f.registry(), "web", string(signed.Digest)); again == nil {
			t.Error("the replaced manifest is gone")
		}
		f.restart()
	}
}

// Charts that a registry can't have are in none of its lists.
func TestOnlyWhatARegistryCanHave(t *testing.T) {
	f := newFixture(t)
	f.chart("a", "Web", "1.0.0", "")
	f.chart("b", "long", "1.0.0-"+strings.Repeat("a", 130), "")
	f.chart("c", "web", "1.0.0", "")
	r := f.build()
	charts, _, err := r.Names()
	must(t, err)
	if !slices.Equal(charts, []string{"web"}) {
		t.Errorf("names are %v", charts)
	}
	if tags, err := r.Tags("long"); len(tags) > 0 || err != nil {
		t.Errorf("tags are %v, %v", tags, err)
	}
	if got, err := r.Manifest("web", "1.0.1"); got != nil || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

// push puts a manifest into the layout of the repository.
func (f *fixture) push(name, tag, archive string, m *ocispec.Manifest) digest.Digest {
	f.t.Helper()
	l, err := f.r.Content(true)
	must(f.t, err)
	m.SchemaVersion, m.MediaType = 2, ocispec.MediaTypeImageManifest
	data, err := json.Marshal(m)
	must(f.t, err)
	e := &layout.Manifest{Digest: digest.FromBytes(data), MediaType: m.MediaType, ArtifactType: m.ArtifactType, Tag: tag, Archive: archive}
	if m.Subject != nil {
		e.Subject = m.Subject.Digest
	}
	must(f.t, l.Put(name, e, data))
	return e.Digest
}

func annotated(text string) *ocispec.Manifest {
	return &ocispec.Manifest{Config: ocispec.DescriptorEmptyJSON, Annotations: map[string]string{"text": text}}
}

// digestOfTag is empty for a tag that nothing has.
func digestOfTag(t testing.TB, r Registry, name, tag string) digest.Digest {
	t.Helper()
	f, err := r.Manifest(name, tag)
	must(t, err)
	if f == nil {
		return ""
	}
	bytes(t, r, f)
	return f.Digest
}

// A manifest that was pushed with a chart has the tag while the View has that archive as that
// version, and its digest while it has the archive at all.
func TestTheViewDecides(t *testing.T) {
	f := newFixture(t)
	f.opts.Prune = true
	f.restart()
	f.chart("web", "web", "1.0.0+x", "one")
	made := digestOfTag(t, f.build(), "web", "1.0.0_x")
	archive := f.r.View().Chart("web").Versions[0].Entry.Digest
	pushed := f.push("web", "1.0.0_x", archive, annotated("pushed"))
	other := f.push("web", "1.0.0_x", strings.Repeat("0", 64), annotated("of an archive that was never published"))
	artifact := f.push("web", "1.0.0_x", "", annotated("no chart"))
	f.push("web", "2.0.0", strings.Repeat("1", 64), annotated("a version that is not there"))

	expect := func(when string, tag digest.Digest, byDigest map[digest.Digest]bool, tags ...string) {
		t.Helper()
		r := f.registry()
		if got := digestOfTag(t, r, "web", "1.0.0_x"); got != tag {
			t.Errorf("%s: the tag has %s, want %s", when, got, tag)
		}
		for d, want := range byDigest {
			if got, err := r.ManifestByDigest("web", d); (got != nil) != want || err != nil {
				t.Errorf("%s: by digest %s: %+v, %v", when, d, got, err)
			}
		}
		if got, err := r.Tags("web"); !slices.Equal(got, tags) || err != nil {
			t.Errorf("%s: tags %v, want %v (%v)", when, got, tags, err)
		}
		charts, others, err := r.Names()
		must(t, err)
		if got := append(charts, others...); !slices.Equal(got, []string{"web"}) {
			t.Errorf("%s: names %v", when, got)
		}
	}
	expect("pushed", pushed, map[digest.Digest]bool{pushed: true, made: true, other: false, artifact: true}, "1.0.0_x")
	f.chart("web", "web", "1.0.0+x", "two")
	second := digestOfTag(t, f.build(), "web", "1.0.0_x")
	expect("replaced", second, map[digest.Digest]bool{pushed: true, made: true, second: true, other: false}, "1.0.0_x")
	f.chart("web", "web", "1.0.0+x", "one")
	f.build()
	expect("as it was", pushed, map[digest.Digest]bool{pushed: true, made: true, second: true}, "1.0.0_x")
	must(t, os.RemoveAll(filepath.Join(f.tree, "web")))
	f.build()
	expect("removed", artifact, map[digest.Digest]bool{pushed: true, made: true, artifact: true}, "1.0.0_x")
	f.now = f.now.Add(2 * time.Hour)
	f.build()
	expect("after its time", artifact, map[digest.Digest]bool{pushed: false, made: false, second: false, artifact: true}, "1.0.0_x")
}

// What was pushed and is no chart is found by its name, its tags and its digests, and blobs
// by digest, in that name alone.
func TestArtifacts(t *testing.T) {
	f := newFixture(t)
	f.chart("web", "web", "1.0.0", "")
	f.build()
	l, err := f.r.Content(true)
	must(t, err)
	blob := digest.FromString("a layer")
	must(t, l.Write("library/nginx", blob, []byte("a layer")))
	must(t, l.Write("library/nginx", ocispec.DescriptorEmptyJSON.Digest, ocispec.DescriptorEmptyJSON.Data))
	one := f.push("library/nginx", "1.25", "", annotated("one"))
	large := f.push("library/nginx", "large", "", annotated(strings.Repeat("x", 2*maxMade)))
	untagged := f.push("library/nginx", "", "", annotated("untagged"))
	f.push("web", "sha256-00.sig", "", annotated("beside a chart"))
	r := f.registry()
	for reference, want := range map[string]digest.Digest{
		"1.25": one, "large": large, string(one): one, string(large): large, string(untagged): untagged,
	} {
		if got, m := pull(t, r, "library/nginx", reference); got == nil || got.Digest != want || got.MediaType != m.MediaType {
			t.Errorf("%s: got %+v", reference, got)
		}
	}
	if got, err := r.Blob("web", blob); got != nil || err != nil {
		t.Errorf("a blob of another name: %+v, %v", got, err)
	}
	if got, err := r.Blob("library/nginx", blob); err != nil || string(bytes(t, r, got)) != "a layer" {
		t.Errorf("a layer: %v", err)
	}
	if got, _ := pull(t, r, "nginx", string(one)); got != nil {
		t.Errorf("a manifest of another name: %+v", got)
	}
	charts, others, err := r.Names()
	if !slices.Equal(charts, []string{"web"}) || !slices.Equal(others, []string{"library/nginx"}) || err != nil {
		t.Errorf("names %v, %v, %v", charts, others, err)
	}
	f.push("only/digests", "", "", annotated("untagged"))
	for name, want := range map[string][]string{"web": {"1.0.0", "sha256-00.sig"}, "library/nginx": {"1.25", "large"}, "only/digests": {}, "none": nil} {
		if got, err := r.Tags(name); !slices.Equal(got, want) || (got == nil) != (want == nil) || err != nil {
			t.Errorf("tags of %s: %#v, %v", name, got, err)
		}
	}
}

func TestReferrers(t *testing.T) {
	f := newFixture(t)
	f.chart("web", "web", "1.0.0", "")
	subject := digestOfTag(t, f.build(), "web", "1.0.0")
	refer := func(kind, config, text string) digest.Digest {
		m := annotated(text)
		m.ArtifactType, m.Config.MediaType, m.Subject = kind, config, &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: subject, Size: 1}
		return f.push("web", "", "", m)
	}
	want := []digest.Digest{refer("a/sbom", ocispec.MediaTypeEmptyJSON, "one"), refer("", "a/signature", "two"), refer("a/sbom", ocispec.MediaTypeEmptyJSON, "three")}
	slices.Sort(want)
	f.push("web", "9.0.0", strings.Repeat("0", 64), &ocispec.Manifest{Subject: &ocispec.Descriptor{Digest: subject}}) // of no archive that is there
	list := func(kind, last string) (got []digest.Digest, more bool) {
		all, more, err := f.registry().Referrers("web", subject, kind, last)
		must(t, err)
		for _, d := range all {
			if d.MediaType != ocispec.MediaTypeImageManifest || d.Size == 0 || d.Annotations["text"] == "" || kind != "" && d.ArtifactType != kind {
				t.Errorf("%+v", d)
			}
			got = append(got, d.Digest)
		}
		return got, more
	}
	if got, more := list("", ""); !slices.Equal(got, want) || more {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, _ := list("", string(want[0])); !slices.Equal(got, want[1:]) {
		t.Errorf("behind the first: %v", got)
	}
	for kind, n := range map[string]int{"a/sbom": 2, "a/signature": 1, "a/none": 0} {
		if got, _ := list(kind, ""); len(got) != n {
			t.Errorf("of type %s: %v", kind, got)
		}
	}
	for _, text := range []string{"a", "b", "c"} {
		refer("a/large", ocispec.MediaTypeEmptyJSON, strings.Repeat(text, 3<<20))
	}
	first, more := list("a/large", "")
	second, _ := list("a/large", string(first[0]))
	if len(first) != 1 || !more || len(second) != 1 || second[0] <= first[0] {
		t.Errorf("large ones come %v, %v, then %v", first, more, second)
	}
	// A list of one type reads no manifests of others: a name may have many.
	bad := refer("a/bad", ocispec.MediaTypeEmptyJSON, "to be broken")
	must(t, os.WriteFile(filepath.Join(f.dir, ".oci/web/blobs/sha256", bad.Encoded()), nil, 0o644))
	if got, _ := list("a/signature", ""); len(got) != 1 {
		t.Errorf("beside one that can't be read: %v", got)
	}
}

// A name that can't be read is an error, and not a name without content; it is listed beside
// the others, which go on.
func TestContentThatCannotBeRead(t *testing.T) {
	f := newFixture(t)
	f.push("a/b", "1", "", annotated(""))
	f.push("a/c", "1", "", annotated(""))
	must(t, os.WriteFile(filepath.Join(f.dir, ".oci", "a+b", "index.json"), []byte("{"), 0o644))
	r := f.build()
	_, tags := r.Tags("a/b")
	_, manifest := r.Manifest("a/b", "1")
	_, byDigest := r.ManifestByDigest("a/b", digest.FromString(""))
	if tags == nil || manifest == nil || byDigest == nil {
		t.Errorf("got %v, %v, %v", tags, manifest, byDigest)
	}
	if _, names, err := r.Names(); err != nil || !slices.Equal(names, []string{"a/b", "a/c"}) {
		t.Errorf("got %v, %v", names, err)
	}
}

func TestPage(t *testing.T) {
	for name, tt := range map[string]struct {
		n    int
		last string
		want string
		more bool
	}{
		"all":           {-1, "", "a b c", false},
		"first":         {2, "", "a b", true},
		"behind":        {2, "b", "c", false},
		"behind none":   {1, "aa", "b", true},
		"behind all":    {2, "c", "", false},
		"exactly":       {3, "", "a b c", false},
		"none asked":    {0, "", "", true},
		"none asked, x": {0, "c", "", false},
	} {
		page, more := Page([]string{"c", "a", "b"}, tt.n, tt.last)
		if strings.Join(page, " ") != tt.want || more != tt.more || page == nil {
			t.Errorf("%s: got %v, %v", name, page, more)
		}
	}
}
