package layout

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const nginx = "library/nginx"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start opens the Layout of a folder until the test ends.
func start(t testing.TB, dir string, o Options) *Layout {
	t.Helper()
	l, err := Open(dir, o)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// quick is a folder on a disk that nobody has to wait for, where the system has one.
func quick(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "layout-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// send is a blob that arrives in one piece.
func send(l *Layout, name, content string) (digest.Digest, error) {
	d := digest.FromString(content)
	id, err := l.Start(name)
	if err != nil {
		return d, err
	}
	if _, err := l.Append(name, id, 0, strings.NewReader(content)); err != nil {
		return d, err
	}
	return d, l.Finish(name, id, d)
}

// image is a manifest of these blobs.
func image(blobs ...string) string {
	var layers []string
	for _, b := range blobs {
		layers = append(layers, fmt.Sprintf(`{"mediaType":"application/octet-stream","digest":%q,"size":%d}`, digest.FromString(b), len(b)))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"layers":[%s]}`, v1.MediaTypeImageManifest, strings.Join(layers, ","))
}

// entry is that of a manifest.
func entry(tag, data string) *Manifest {
	return Manifest{Tag: tag, Digest: digest.FromString(data), MediaType: v1.MediaTypeImageManifest, Size: int64(len(data))}.written()
}

// push is the push of a manifest with one blob; the digest is the manifest's.
func push(l *Layout, name, tag, content string) (digest.Digest, error) {
	data := image(content)
	d := digest.FromString(data)
	if _, err := send(l, name, content); err != nil {
		return d, err
	}
	return d, l.Put(name, entry(tag, data), []byte(data))
}

// blob is a blob's content, or "" if there is none.
func blob(t testing.TB, l *Layout, name string, d digest.Digest) string {
	t.Helper()
	f, err := l.OpenBlob(name, d)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	must(t, err)
	return string(data)
}

// listed are a name's entries, as TAG=HEX[:4] with what they are more.
func listed(t testing.TB, l *Layout, name string) string {
	t.Helper()
	c, err := l.Content(name)
	must(t, err)
	var all []string
	for _, m := range c.Manifests {
		s := m.Tag + "=" + m.Digest.Encoded()[:4]
		if m.Archive != "" {
			s += "/" + m.Archive[:4]
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// short is a manifest's digest as listed has it.
func short(data string) string { return digest.FromString(data).Encoded()[:4] }

// files are the files below .oci by name, but for index.json and oci-layout, with their sizes.
func files(t testing.TB, dir string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	err := filepath.WalkDir(filepath.Join(dir, root), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == indexFile || e.Name() == layoutFile {
			return err
		}
		fi, err := e.Info()
		all[strings.TrimPrefix(p, filepath.Join(dir, root)+"/")] = fi.Size()
		return err
	})
	if !os.IsNotExist(err) {
		must(t, err)
	}
	return all
}

// faults notes the operations on a folder and lets some of them fail.
type faults struct {
	mu   sync.Mutex
	ops  []string
	fail func(n int, op, name string) error
}

func (f *faults) ask(op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops = append(f.ops, op+" "+name)
	if f.fail == nil {
		return nil
	}
	return f.fail(len(f.ops), op, name)
}

// clock is set by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// namesOf are the names that have manifests.
func namesOf(t testing.TB, l *Layout) (names []string) {
	t.Helper()
	must(t, l.Each(func(name string, _ *Content, err error) {
		if err != nil {
			t.Error(name, err)
		}
		names = append(names, name)
	}))
	return names
}
