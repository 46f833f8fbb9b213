package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/store"
)

func TestLoad(t *testing.T) {
	from := folderOf(t, some()...)
	path, _ := fileOf(t, from, CreateOptions{})
	to := filepath.Join(t.TempDir(), "new")
	if done := load(t, to, path); done.Written != 7 || done.Present+done.Resumed != 0 {
		t.Errorf("first: %+v", done)
	}
	if diff := cmp.Diff(visible(t, from), visible(t, to)); diff != "" {
		t.Errorf("the folder (-there +here):\n%s", diff)
	}

	// Once more: nothing is written.
	must(t, os.Chmod(to, 0o555))
	done, err := Load(context.Background(), []string{path}, to, ReadOptions{})
	must(t, err)
	if done.Present != 7 || done.Written+done.Resumed != 0 || store.Waiting(to) {
		t.Errorf("second: %+v", done)
	}
	if _, err := os.Stat(filepath.Join(to, ".staging-"+stageName)); err == nil {
		t.Error("a stage was made for nothing")
	}
	must(t, os.Chmod(to, 0o755))

	// What is not in the bundle stays.
	other, _ := fileOf(t, folderOf(t, spec{name: "other", version: "1.0.0"}), CreateOptions{})
	load(t, to, other)
	if got := visible(t, to); len(got) != 9 || got["other-1.0.0.tgz"] == "" {
		t.Errorf("%d files after another bundle", len(got))
	}
}

// An interrupted load left files, whole ones and others, of this bundle and of
// another.
func TestLoadResumes(t *testing.T) {
	nova := spec{name: "nova", version: "1.0.0", text: "1"}
	keystone := spec{name: "keystone", version: "1.0.0", text: "1"}
	present := spec{name: "present", version: "1.0.0", text: "1"}
	from := folderOf(t, nova, keystone, present)
	path, _ := fileOf(t, from, CreateOptions{})
	to := folderOf(t, present)
	stage, err := store.OpenDelivery(to, stageName)
	must(t, err)
	for name, data := range map[string][]byte{
		nova.file():            nova.archive(t),
		nova.file() + ".prov":  []byte("of another"),
		keystone.file():        spec{name: "keystone", version: "1.0.0", text: "other"}.archive(t),
		present.file():         spec{name: "present", version: "1.0.0", text: "other"}.archive(t),
		"of-another-1.0.0.tgz": []byte("x"),
	} {
		f, err := stage.Create()
		must(t, err)
		_, err = f.File().Write(data)
		must(t, err)
		must(t, f.Keep(name))
	}
	must(t, stage.Close())
	if done := load(t, to, path); done.Written != 1 || done.Resumed != 1 || done.Present != 1 {
		t.Errorf("%+v", done)
	}
	if diff := cmp.Diff(visible(t, from), visible(t, to)); diff != "" {
		t.Errorf("the folder (-there +here):\n%s", diff)
	}
}

// A damaged archive does not cost the others when the bundle comes again.
func TestLoadResumesAfterDamage(t *testing.T) {
	from := folderOf(t, some()...)
	data, m := bytesOf(t, from, CreateOptions{})
	bad := bytes.Clone(data)
	bad[len(bad)-trailerSize-int(padding(m.Files[len(m.Files)-1].Size))-2] ^= 1
	to := t.TempDir()
	_, err := Load(context.Background(), []string{"-"}, to, ReadOptions{Stdin: bytes.NewReader(bad)})
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
	if _, err := os.Stat(filepath.Join(to, ".staging-"+stageName, m.Files[len(m.Files)-1].Name)); err == nil {
		t.Error("the damaged file is in the stage")
	}
	done, err := Load(context.Background(), []string{"-"}, to, ReadOptions{Stdin: bytes.NewReader(data)})
	must(t, err)
	if done.Written != 1 || done.Resumed != 6 {
		t.Errorf("%+v", done)
	}
	takeIn(t, to)
	if diff := cmp.Diff(visible(t, from), visible(t, to)); diff != "" {
		t.Errorf("the folder (-there +here):\n%s", diff)
	}
}

func TestClash(t *testing.T) {
	nova := spec{name: "nova", version: "1.0.0", text: "new"}
	old := spec{name: "nova", version: "1.0.0", text: "old"}
	signed := old
	signed.prov = true
	below := func(t *testing.T, c spec) string {
		dir := folderOf(t, c)
		must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
		must(t, os.Rename(filepath.Join(dir, c.file()), filepath.Join(dir, "sub", c.file())))
		must(t, os.Remove(filepath.Join(dir, IndexName)))
		takeIn(t, dir)
		return dir
	}
	for name, c := range map[string]struct {
		dir     string
		replace bool
		want    error
		remedy  string
	}{
		"other bytes":            {folderOf(t, old), false, ErrClash, "--replace"},
		"replaced":               {folderOf(t, old), true, nil, ""},
		"provenance of the old":  {folderOf(t, signed), true, ErrClash, "remove it"},
		"other bytes, below":     {below(t, old), true, ErrClash, "remove it"},
		"there already, below":   {below(t, nova), false, nil, ""},
		"its directory's a file": {filepath.Join(folderOf(t, old), IndexName), false, os.ErrInvalid, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := fileOf(t, folderOf(t, nova), CreateOptions{})
			before := map[string]string{}
			if c.remedy != "" {
				before = visible(t, c.dir)
			}
			_, err := Load(context.Background(), []string{path}, c.dir, ReadOptions{Replace: c.replace})
			switch {
			case c.want == nil:
				must(t, err)
				takeIn(t, c.dir)
				files := visible(t, c.dir)
				if got := files[nova.file()] + files["sub/"+nova.file()]; got != string(nova.archive(t)) {
					t.Error("the archive is not the bundle's")
				}
			case c.remedy == "":
				if err == nil {
					t.Error("no error")
				}
			default:
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.remedy) {
					t.Fatalf("got %v, want %v with %q", err, c.want, c.remedy)
				}
				if diff := cmp.Diff(before, visible(t, c.dir)); diff != "" {
					t.Errorf("the folder changed:\n%s", diff)
				}
			}
		})
	}
}

// chain is three states of a repository, as a bundle and two deltas.
type chain struct {
	folders   [3]string
	paths     [3]string
	manifests [3]*Manifest
}

func newChain(t *testing.T) *chain {
	a, b := spec{name: "a", version: "1.0.0", prov: true}, spec{name: "b", version: "1.0.0"}
	changed, d := spec{name: "b", version: "1.0.0", text: "2"}, spec{name: "d", version: "1.0.0"}
	c := &chain{}
	for i, charts := range [][]spec{{a, b}, {a, b, d}, {a, changed, d}} {
		c.folders[i] = folderOf(t, charts...)
		o := CreateOptions{}
		if i > 0 {
			o.Base = c.manifests[i-1]
		}
		c.paths[i], c.manifests[i] = fileOf(t, c.folders[i], o)
	}
	return c
}

func TestDeltas(t *testing.T) {
	c := newChain(t)
	to := t.TempDir()
	for i := range 2 {
		load(t, to, c.paths[i])
		if diff := cmp.Diff(visible(t, c.folders[i]), visible(t, to)); diff != "" {
			t.Errorf("after bundle %d (-there +here):\n%s", i, diff)
		}
	}
	_, err := Load(context.Background(), []string{c.paths[2]}, to, ReadOptions{Replace: true})
	must(t, err)
	takeIn(t, to)
	if diff := cmp.Diff(visible(t, c.folders[2]), visible(t, to)); diff != "" {
		t.Errorf("after the last (-there +here):\n%s", diff)
	}
	if m := c.manifests[1]; len(m.Files) != 5 || m.Totals().Bytes >= c.manifests[0].Totals().Bytes {
		t.Errorf("the delta has %d files, %d bytes", len(m.Files), m.Totals().Bytes)
	}
}

func TestDeltaWithoutBase(t *testing.T) {
	c := newChain(t)
	damaged := folderOf(t, spec{name: "a", version: "1.0.0"}, spec{name: "b", version: "1.0.0", text: "x"})
	for name, to := range map[string]string{
		"no folder":    filepath.Join(t.TempDir(), "none"),
		"empty folder": t.TempDir(),
		"other bytes":  damaged,
	} {
		before := visible(t, to)
		_, err := Load(context.Background(), []string{c.paths[1]}, to, ReadOptions{})
		if !errors.Is(err, ErrBase) {
			t.Errorf("%s: got %v, want ErrBase", name, err)
		}
		if diff := cmp.Diff(before, visible(t, to)); diff != "" {
			t.Errorf("%s: the folder changed:\n%s", name, diff)
		}
	}
}

func TestVerifyBase(t *testing.T) {
	c := newChain(t)
	manifest := filepath.Join(t.TempDir(), "x.manifest")
	must(t, os.WriteFile(manifest, c.manifests[0].Encode(), 0o644))
	for name, tc := range map[string]struct {
		base string
		want int // findings
	}{
		"none":             {"", 0},
		"folder":           {c.folders[0], 0},
		"later folder":     {c.folders[1], 0},
		"changed folder":   {c.folders[2], 1},
		"empty folder":     {t.TempDir(), 1},
		"manifest":         {manifest, 0},
		"bundle":           {c.paths[0], 0},
		"another bundle":   {c.paths[2], 1},
		"the delta itself": {c.paths[1], 1},
	} {
		rep, err := Verify(context.Background(), []string{c.paths[1]}, ReadOptions{Base: tc.base})
		must(t, err)
		if len(rep.Findings) != tc.want {
			t.Errorf("%s: %v, want %d", name, rep.Findings, tc.want)
		}
		for _, f := range rep.Findings {
			if !errors.Is(f, ErrBase) {
				t.Errorf("%s: %v, want ErrBase", name, f)
			}
		}
	}
}

// A bundle that ends while its files are written, a disk that is full: what is
// there stays as it is.
func TestLoadStopped(t *testing.T) {
	data, dir := small(t)
	before := visible(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write(data[:len(data)/2])
		cancel()
		_, _ = w.Write(data[len(data)/2:])
	}()
	_, err := Load(ctx, []string{"-"}, dir, ReadOptions{Stdin: r})
	r.Close()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, visible(t, dir)); diff != "" {
		t.Errorf("the folder changed:\n%s", diff)
	}
}

// What does not fit is refused before a byte is read or written; what is there already
// needs no room.
func TestLoadWithoutRoom(t *testing.T) {
	from := folderOf(t, some()...)
	_, m := bytesOf(t, from, CreateOptions{})
	at := created()
	for i := range 20_000 { // 160 TiB
		version := fmt.Sprintf("1.0.%d", i)
		md := chart.Metadata{Name: "z", Version: version}
		m.Files = append(m.Files, File{Name: md.ArchiveName(), Size: maxArchive, SHA256: strings.Repeat("ab", 32), Chart: "z", Version: version, Created: &at})
	}
	slices.SortFunc(m.Files[1:], func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	data := m.Encode()
	must(t, writeMember(&b, newFile(ManifestName, data), bytes.NewReader(data)))
	dir := folderOf(t, spec{name: "b", version: "1.0.0"})
	before := visible(t, dir)
	_, err := Load(context.Background(), []string{"-"}, dir, ReadOptions{Stdin: &b})
	if !errors.Is(err, ErrNoRoom) || !strings.Contains(err.Error(), "make room") {
		t.Errorf("got %v, want ErrNoRoom", err)
	}
	if diff := cmp.Diff(before, visible(t, dir)); diff != "" {
		t.Errorf("the folder changed:\n%s", diff)
	}
	hidden(t, dir)
}
